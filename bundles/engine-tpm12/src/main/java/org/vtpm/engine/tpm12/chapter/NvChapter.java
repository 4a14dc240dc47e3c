package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.NvLocks;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.tpm12.structure.NvAttributes;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Reading and writing non-volatile storage (TPM Main Part 3, section 20), with the data integrity register of TPM 1.1
 * (section 27.4), which is an NV area too. While nvLocked is FALSE, as a part leaves the factory, the commands that need
 * no secret of the area make only the checks that section 20 names for that state.
 */
public final class NvChapter implements Chapter {
    private static final int DIR_COUNT = 1;

    record Write(int nvIndex, int offset, @Sized byte[] data) {}

    record Read(int nvIndex, int offset, int dataSize) {}

    record Data(@Sized byte[] data) {}

    record DirWrite(int dirIndex, @Fixed(Sha1.LENGTH) byte[] newContents) {}

    record DirRead(int dirIndex) {}

    record DirContents(@Fixed(Sha1.LENGTH) byte[] dirContents) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("NV_DefineSpace", NvDefinition.Request.class, NvDefinition::define);
        handlers.on("NV_WriteValue", Write.class, NvChapter::write);
        handlers.on("NV_WriteValueAuth", Write.class, NvChapter::writeAuth);
        handlers.on("NV_ReadValue", Read.class, NvChapter::read);
        handlers.on("NV_ReadValueAuth", Read.class, NvChapter::readAuth);
        handlers.on("DirWriteAuth", DirWrite.class, NvChapter::dirWrite);
        handlers.on("DirRead", DirRead.class, NvChapter::dirRead);
    }

    // Writing

    private static Record write(Transaction tx, Write request) {
        boolean locked = tx.is(PermanentFlags.Flag.NV_LOCKED);
        if (request.nvIndex() == NvIndex.GLOBAL_LOCK) {
            return lockAll(tx, request);
        }
        NvArea area = area(tx, request.nvIndex());
        NvAttributes permission = area.pub().permission();
        boolean owners = permission.has(Permission.OWNERWRITE);
        requireUsable(tx, owners && locked);
        if (tx.authorizations().count() > 0) {
            require(owners, ReturnCode.AUTH_CONFLICT);
            tx.authorizations().verifyOwner();
        } else {
            require(!owners || !locked, ReturnCode.AUTH_CONFLICT);
        }
        requireBudget(tx);
        require(!permission.has(Permission.AUTHWRITE), ReturnCode.AUTH_CONFLICT);
        if (locked) {
            PcrConditions.requireLocality(tx, area.pub().pcrInfoWrite());
            requirePresence(tx, permission.has(Permission.PPWRITE));
            requireWritable(tx, area);
            PcrConditions.requirePcrs(tx, area.pub().pcrInfoWrite());
        }
        if (limited(tx) && request.data().length > 0) {
            NvBudget.spend(tx);
        }
        return store(tx, area, request);
    }

    /** Unlike {@link #write} it makes all checks whether or not NV is locked, and that of the PCRs before the locks. */
    private static Record writeAuth(Transaction tx, Write request) {
        NvArea area = defined(tx, request.nvIndex());
        NvAttributes permission = area.pub().permission();
        require(permission.has(Permission.AUTHWRITE), ReturnCode.AUTH_CONFLICT);
        tx.authorizations().verify(0, Entity.nv(request.nvIndex()), area.authValue());
        PcrConditions.requireLocality(tx, area.pub().pcrInfoWrite());
        requirePresence(tx, permission.has(Permission.PPWRITE));
        PcrConditions.requirePcrs(tx, area.pub().pcrInfoWrite());
        requireWritable(tx, area);
        return store(tx, area, request);
    }

    private static Record lockAll(Transaction tx, Write request) {
        if (tx.authorizations().count() > 0) {
            tx.authorizations().verifyOwner();
        }
        requireBudget(tx);
        require(request.data().length == 0, ReturnCode.BADINDEX);
        tx.set(StClearFlags.Flag.GLOBAL_LOCK, true);
        return NoParameters.NONE;
    }

    private static void requireBudget(Transaction tx) {
        if (limited(tx)) {
            NvBudget.require(tx);
        }
    }

    /** Where there is an owner, writing without authorisation has no limit. */
    private static boolean limited(Transaction tx) {
        return tx.authorizations().count() == 0 && tx.permanent().owner() == null;
    }

    private static void requireWritable(Transaction tx, NvArea area) {
        NvAttributes permission = area.pub().permission();
        boolean shut = (permission.has(Permission.WRITEDEFINE) && area.pub().writeDefine())
                || (permission.has(Permission.GLOBALLOCK) && tx.is(StClearFlags.Flag.GLOBAL_LOCK))
                || (permission.has(Permission.WRITE_STCLEAR) && locks(tx, area).write());
        require(!shut, ReturnCode.AREA_LOCKED);
    }

    /** Writes, or sets the write locks if there is nothing to write; either way the area may be read again. */
    private static Record store(Transaction tx, NvArea area, Write request) {
        boolean lock = request.data().length == 0;
        if (lock) {
            setWriteDefine(tx, area);
        } else {
            overwrite(tx, area, request);
        }
        NvLocks locks = locks(tx, area);
        tx.stClear(tx.stClear().withNvLocks(new NvLocks(locks.nvIndex(), false, locks.write() || lock)));
        return NoParameters.NONE;
    }

    private static void overwrite(Transaction tx, NvArea area, Write request) {
        requireInside(area, request.offset(), request.data().length);
        require(
                !area.pub().permission().has(Permission.WRITEALL)
                        || request.data().length == area.pub().dataSize(),
                ReturnCode.NOT_FULLWRITE);
        if (NvIndex.gpio(request.nvIndex())) {
            return;
        }
        byte[] changed = area.data().clone();
        System.arraycopy(request.data(), 0, changed, request.offset(), request.data().length);
        if (!Arrays.equals(changed, area.data())) {
            put(tx, new NvArea(area.pub(), area.authValue(), changed));
        }
    }

    /** Sets bWriteDefine, whether or not the area's attributes give it an effect. */
    private static void setWriteDefine(Transaction tx, NvArea area) {
        if (!area.pub().writeDefine()) {
            put(tx, new NvArea(area.pub().withWriteDefine(), area.authValue(), area.data()));
        }
    }

    // Reading

    private static Record read(Transaction tx, Read request) {
        boolean locked = tx.is(PermanentFlags.Flag.NV_LOCKED);
        NvArea area = area(tx, request.nvIndex());
        NvAttributes permission = area.pub().permission();
        boolean owners = permission.has(Permission.OWNERREAD);
        requireUsable(tx, owners && locked);
        if (tx.authorizations().count() > 0) {
            require(owners, ReturnCode.AUTH_CONFLICT);
            tx.authorizations().verifyOwner();
        } else {
            require(!owners || !locked, ReturnCode.AUTH_CONFLICT);
        }
        require(!permission.has(Permission.AUTHREAD), ReturnCode.AUTH_CONFLICT);
        if (locked) {
            PcrConditions.requireLocality(tx, area.pub().pcrInfoRead());
            requirePresence(tx, permission.has(Permission.PPREAD));
            requireReadable(tx, area);
            PcrConditions.requirePcrs(tx, area.pub().pcrInfoRead());
        }
        return fetch(tx, area, request);
    }

    /** Unlike {@link #read} it makes all checks whether or not NV is locked, and in another order. */
    private static Record readAuth(Transaction tx, Read request) {
        NvArea area = defined(tx, request.nvIndex());
        NvAttributes permission = area.pub().permission();
        require(permission.has(Permission.AUTHREAD), ReturnCode.AUTH_CONFLICT);
        tx.authorizations().verify(0, Entity.nv(request.nvIndex()), area.authValue());
        requirePresence(tx, permission.has(Permission.PPREAD));
        PcrConditions.requireLocality(tx, area.pub().pcrInfoRead());
        PcrConditions.requirePcrs(tx, area.pub().pcrInfoRead());
        requireReadable(tx, area);
        return fetch(tx, area, request);
    }

    private static void requireReadable(Transaction tx, NvArea area) {
        boolean shut = area.pub().permission().has(Permission.READ_STCLEAR)
                && locks(tx, area).read();
        require(!shut, ReturnCode.DISABLED_CMD);
    }

    /** Reads, or sets the read lock if there is nothing to read. */
    private static Record fetch(Transaction tx, NvArea area, Read request) {
        if (request.nvIndex() == NvIndex.DIR) {
            requireInside(area, request.offset(), request.dataSize());
        }
        if (request.dataSize() == 0) {
            NvLocks locks = locks(tx, area);
            tx.stClear(tx.stClear().withNvLocks(new NvLocks(locks.nvIndex(), true, locks.write())));
            return new Data(new byte[0]);
        }
        requireInside(area, request.offset(), request.dataSize());
        return new Data(
                NvIndex.gpio(request.nvIndex())
                        ? new byte[request.dataSize()]
                        : Arrays.copyOfRange(area.data(), request.offset(), request.offset() + request.dataSize()));
    }

    // The data integrity register

    private static Record dirWrite(Transaction tx, DirWrite request) {
        tx.authorizations().verifyOwner();
        require(request.dirIndex() >= 0 && request.dirIndex() < DIR_COUNT, ReturnCode.BADINDEX);
        tx.permanent(tx.permanent().withDir(request.newContents()));
        return NoParameters.NONE;
    }

    private static Record dirRead(Transaction tx, DirRead request) {
        require(request.dirIndex() >= 0 && request.dirIndex() < DIR_COUNT, ReturnCode.BADINDEX);
        return new DirContents(tx.permanent().dir());
    }

    // Helpers

    private static NvArea area(Transaction tx, int nvIndex) {
        return nvIndex == NvIndex.DIR ? NvArea.dir(tx.permanent().dir()) : defined(tx, nvIndex);
    }

    /** An area that was defined, so not the data integrity register: that has no secret. */
    private static NvArea defined(Transaction tx, int nvIndex) {
        NvArea area = tx.permanent().nvArea(nvIndex);
        if (area == null) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        return area;
    }

    private static NvLocks locks(Transaction tx, NvArea area) {
        return tx.stClear().nvLocks(area.pub().nvIndex());
    }

    private static void put(Transaction tx, NvArea area) {
        tx.permanent(
                area.pub().nvIndex() == NvIndex.DIR
                        ? tx.permanent().withDir(area.data())
                        : tx.permanent().withNvArea(area));
    }

    /** An area of the owner's needs a TPM that is enabled and active; platform firmware relies on the others without. */
    private static void requireUsable(Transaction tx, boolean owners) {
        require(!owners || !tx.is(PermanentFlags.Flag.DISABLE), ReturnCode.DISABLED);
        require(!owners || !tx.is(StClearFlags.Flag.DEACTIVATED), ReturnCode.DEACTIVATED);
    }

    private static void requirePresence(Transaction tx, boolean asked) {
        require(!asked || tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
    }

    /** Offset and size are unsigned, and their sum may have 33 bits. */
    private static void requireInside(NvArea area, int offset, int size) {
        long end = Integer.toUnsignedLong(offset) + Integer.toUnsignedLong(size);
        require(end <= area.pub().dataSize(), ReturnCode.NOSPACE);
    }
}
