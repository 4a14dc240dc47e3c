package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.NvLocks;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.tpm12.structure.NvAttributes;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvDataPublic;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.ReturnCode;

/** TPM_NV_DefineSpace (TPM Main Part 3, section 20.1): defines, redefines and deletes NV areas. */
final class NvDefinition {
    private static final byte ERASED = (byte) 0xFF;

    record Request(NvDataPublic pubInfo, @Fixed(Sha1.LENGTH) byte[] encAuth) {}

    private NvDefinition() {}

    static Record define(Transaction tx, Request request) {
        NvDataPublic pub = request.pubInfo();
        boolean authorized = tx.authorizations().count() > 0;
        boolean locked = tx.is(PermanentFlags.Flag.NV_LOCKED);
        if (pub.nvIndex() == NvIndex.LOCK && !authorized) {
            require(pub.dataSize() == 0, ReturnCode.BADINDEX);
            tx.set(PermanentFlags.Flag.NV_LOCKED, true);
            return NoParameters.NONE;
        }
        require(pub.nvIndex() != NvIndex.GLOBAL_LOCK, ReturnCode.BADINDEX);
        require(!locked || !NvIndex.permanent(pub.nvIndex()), ReturnCode.BADINDEX);
        byte[] auth = authorized ? ownersAuth(tx, request) : request.encAuth();
        if (!authorized) {
            if (locked) {
                require(tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
                require(tx.permanent().owner() == null, ReturnCode.OWNER_SET);
                require(pub.dataSize() != 0, ReturnCode.BAD_DATASIZE);
            }
            NvBudget.require(tx);
        }
        boolean deleted = delete(tx, pub.nvIndex(), locked);
        if (!deleted || pub.dataSize() != 0) {
            add(tx, pub, auth);
        }
        if (!authorized && (deleted || pub.nvIndex() != NvIndex.TRIAL)) {
            NvBudget.spend(tx);
        }
        return NoParameters.NONE;
    }

    private static byte[] ownersAuth(Transaction tx, Request request) {
        Authorizations authorizations = tx.authorizations();
        authorizations.requireSharedSecret(0);
        authorizations.verifyOwner();
        return authorizations.decrypt(0, request.encAuth());
    }

    private static boolean delete(Transaction tx, int nvIndex, boolean locked) {
        @Nullable NvArea old = tx.permanent().nvArea(nvIndex);
        if (old == null) {
            return false;
        }
        NvAttributes permission = old.pub().permission();
        boolean shut = (permission.has(Permission.GLOBALLOCK) && tx.is(StClearFlags.Flag.GLOBAL_LOCK))
                || (permission.has(Permission.WRITE_STCLEAR)
                        && tx.stClear().nvLocks(nvIndex).write());
        require(!locked || !shut, ReturnCode.AREA_LOCKED);
        tx.permanent(tx.permanent().withoutNvArea(nvIndex));
        tx.stClear(tx.stClear()
                .withNvLocks(new NvLocks(nvIndex, false, false))
                .withoutSessions(session -> session.entity().equals(Entity.nv(nvIndex))));
        return true;
    }

    /** Makes an area. It must be restricted in writing; libtpms looks at the localities of reading instead. */
    private static void add(Transaction tx, NvDataPublic pub, byte[] auth) {
        NvAttributes permission = pub.permission();
        require(
                !permission.has(Permission.OWNERWRITE) || !permission.has(Permission.AUTHWRITE),
                ReturnCode.AUTH_CONFLICT);
        require(
                !permission.has(Permission.OWNERREAD) || !permission.has(Permission.AUTHREAD),
                ReturnCode.AUTH_CONFLICT);
        require(
                permission.has(Permission.OWNERWRITE)
                        || permission.has(Permission.AUTHWRITE)
                        || permission.has(Permission.WRITEDEFINE)
                        || permission.has(Permission.PPWRITE)
                        || pub.pcrInfoWrite().localityAtRelease() != PcrInfoShort.ALL_LOCALITIES,
                ReturnCode.PER_NOWRITE);
        require(NvIndex.definable(pub.nvIndex()), ReturnCode.BADINDEX);
        require(pub.dataSize() != 0, ReturnCode.BAD_PARAM_SIZE);
        require(NvSpace.fits(tx.permanent(), pub), ReturnCode.NOSPACE);
        if (pub.nvIndex() != NvIndex.TRIAL) {
            byte[] data = new byte[NvIndex.gpio(pub.nvIndex()) ? 0 : pub.dataSize()];
            Arrays.fill(data, ERASED);
            tx.permanent(tx.permanent().withNvArea(new NvArea(pub.unlocked(), auth, data)));
        }
    }
}
