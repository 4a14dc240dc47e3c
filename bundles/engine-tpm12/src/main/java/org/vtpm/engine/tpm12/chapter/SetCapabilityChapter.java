package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** TPM_SetCapability (TPM Main Part 3, section 7.2, and Part 2, sections 7 and 21): each field has its own rule. */
public final class SetCapabilityChapter implements Chapter {
    // TPM_CAPABILITY_AREA for TPM_SetCapability (TPM Main Part 2, section 21.4).
    private static final int SET_PERM_FLAGS = 1;
    private static final int SET_PERM_DATA = 2;
    private static final int SET_STCLEAR_FLAGS = 3;
    private static final int SET_STCLEAR_DATA = 4;
    private static final int SET_STANY_FLAGS = 5;
    private static final int SET_VENDOR = 7;

    private static final int PD_RESTRICT_DELEGATE = 23;
    private static final int PD_DAA_PROOF = 25;
    private static final int SD_DEFERRED_PHYSICAL_PRESENCE = 6;
    private static final int AF_TOS_PRESENT = 4;

    private static final int FIRST_PRIVILEGED_LOCALITY = 3;

    record SetCapability(
            int capArea, @Sized byte[] subCap, @Sized byte[] setValue) {}

    record SubCap(int number) {}

    record BoolValue(boolean value) {}

    record NumberValue(int value) {}

    /** What the caller wants to set, and whether the owner is behind it. */
    private record Change(Transaction tx, int field, byte[] value, boolean owner) {
        boolean bool() {
            return decode(BoolValue.class, value).value();
        }

        void needs(boolean condition) {
            require(condition, ReturnCode.AUTHFAIL);
        }

        void needsEnabled() {
            require(!tx.is(PermanentFlags.Flag.DISABLE), ReturnCode.DISABLED);
        }

        void needsActive() {
            needsEnabled();
            require(!tx.is(StClearFlags.Flag.DEACTIVATED), ReturnCode.DEACTIVATED);
        }

        /** The value, of which only this one may be set. */
        boolean only(boolean allowed) {
            require(bool() == allowed, ReturnCode.BAD_PARAMETER);
            return allowed;
        }

        void needsPrivilegedLocality() {
            require(tx.locality() >= FIRST_PRIVILEGED_LOCALITY, ReturnCode.BAD_LOCALITY);
        }
    }

    @Override
    public void register(Handlers handlers) {
        handlers.on("SetCapability", SetCapability.class, SetCapabilityChapter::setCapability);
    }

    private static Record setCapability(Transaction tx, SetCapability request) {
        boolean owner = tx.authorizations().count() > 0;
        if (owner) {
            tx.authorizations().verifyOwner();
        }
        require(request.capArea() >= SET_PERM_FLAGS && request.capArea() <= SET_VENDOR, ReturnCode.BAD_MODE);
        int field = decode(SubCap.class, request.subCap()).number();
        Change change = new Change(tx, field, request.setValue(), owner);
        switch (request.capArea()) {
            case SET_PERM_FLAGS -> setPermanentFlag(change);
            case SET_PERM_DATA -> setPermanentData(change);
            case SET_STCLEAR_FLAGS -> setStClearFlag(change);
            case SET_STCLEAR_DATA -> setStClearData(change);
            case SET_STANY_FLAGS -> setStAnyFlag(change);
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
        return NoParameters.NONE;
    }

    private static void setPermanentFlag(Change change) {
        PermanentFlags.Flag flag = PermanentFlags.numbered(change.field());
        if (flag == null) {
            throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
        Transaction tx = change.tx();
        boolean value = change.bool();
        switch (flag) {
            case DISABLE -> change.needs(change.owner() || tx.physicalPresence());
            case OWNERSHIP -> {
                require(tx.permanent().owner() == null, ReturnCode.OWNER_SET);
                change.needs(tx.physicalPresence());
                change.needsActive();
            }
            case DEACTIVATED -> {
                change.needs(tx.physicalPresence());
                change.needsEnabled();
            }
            case DISABLE_FULL_DA_LOGIC_INFO -> change.needs(change.owner());
            case READ_PUBEK, READ_SRK_PUB -> {
                change.needs(change.owner());
                change.needsActive();
            }
            case DISABLE_OWNER_CLEAR -> {
                change.needs(change.owner());
                change.only(true);
                change.needsActive();
            }
            case ALLOW_MAINTENANCE -> {
                change.needs(change.owner());
                change.only(false);
                change.needsActive();
            }
            case TPM_ESTABLISHED -> {
                change.needsPrivilegedLocality();
                change.only(false);
            }
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
        tx.set(flag, value);
    }

    private static void setPermanentData(Change change) {
        switch (change.field()) {
            case PD_RESTRICT_DELEGATE -> setRestrictDelegate(change);
            case PD_DAA_PROOF -> renewDaaSecrets(change);
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
    }

    private static void setRestrictDelegate(Change change) {
        int value = decode(NumberValue.class, change.value()).value();
        change.needs(change.owner());
        change.needsActive();
        Transaction tx = change.tx();
        if (value != tx.permanent().restrictDelegate()) {
            tx.permanent(tx.permanent().withRestrictDelegate(value));
        }
    }

    /** Makes all DAA credentials of this TPM worthless; the value is not looked at. */
    private static void renewDaaSecrets(Change change) {
        change.needs(change.owner());
        Transaction tx = change.tx();
        Endorsement endorsement = tx.permanent().endorsement();
        if (endorsement == null) {
            throw new TpmException(ReturnCode.NO_ENDORSEMENT);
        }
        tx.permanent(tx.permanent()
                .withEndorsement(endorsement.withDaaSecrets(
                        tx.environment().random(Sha1.LENGTH),
                        tx.environment().random(Sha1.LENGTH),
                        tx.environment().random(AesCtr.KEY_LENGTH))));
    }

    private static void setStClearFlag(Change change) {
        require(
                StClearFlags.numbered(change.field()) == StClearFlags.Flag.DISABLE_FORCE_CLEAR,
                ReturnCode.BAD_PARAMETER);
        boolean value = change.bool();
        change.needsActive();
        change.only(true);
        change.tx().set(StClearFlags.Flag.DISABLE_FORCE_CLEAR, value);
    }

    /** Bits may be withdrawn by anyone, but are only set by whoever is there. */
    private static void setStClearData(Change change) {
        require(change.field() == SD_DEFERRED_PHYSICAL_PRESENCE, ReturnCode.BAD_PARAMETER);
        Transaction tx = change.tx();
        int value = decode(NumberValue.class, change.value()).value();
        boolean sets = (value & ~tx.stClear().deferredPhysicalPresence()) != 0;
        require(!sets || tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
        tx.stClear(tx.stClear().withDeferredPhysicalPresence(value));
    }

    private static void setStAnyFlag(Change change) {
        require(change.field() == AF_TOS_PRESENT, ReturnCode.BAD_PARAMETER);
        boolean value = change.bool();
        change.needsPrivilegedLocality();
        change.needsActive();
        change.only(false);
        change.tx().volatiles(change.tx().volatiles().withTosPresent(value));
    }

    private static <T> T decode(Class<T> type, byte[] value) {
        try {
            return Codec.of(type).decode(value);
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAMETER);
        }
    }
}
