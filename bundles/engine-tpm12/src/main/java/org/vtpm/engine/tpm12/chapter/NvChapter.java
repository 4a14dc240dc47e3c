package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

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
import org.vtpm.engine.tpm12.structure.NvAttributes;
import org.vtpm.engine.tpm12.structure.NvAttributes.Permission;
import org.vtpm.engine.tpm12.structure.NvIndex;
import org.vtpm.engine.tpm12.structure.PcrInfoShort;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.TpmException;

/**
 * Reading and writing non-volatile storage (TPM Main Part 3, section 20), with the data integrity register of TPM 1.1
 * (section 27.4), which is an NV area too. While nvLocked is FALSE, as a part leaves the factory, only the checks that
 * section 20 names for that state are made.
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
            NvDefinition.countUnownedWrite(tx);
        }
        require(!permission.has(Permission.AUTHWRITE), ReturnCode.AUTH_CONFLICT);
        return store(tx, area, request, locked);
    }

    private static Record writeAuth(Transaction tx, Write request) {
        NvArea area = defined(tx, request.nvIndex());
        require(area.pub().permission().has(Permission.AUTHWRITE), ReturnCode.AUTH_CONFLICT);
        tx.authorizations().verify(0, Entity.nv(request.nvIndex()), area.authValue());
        return store(tx, area, request, tx.is(PermanentFlags.Flag.NV_LOCKED));
    }

    private static Record lockAll(Transaction tx, Write request) {
        if (tx.authorizations().count() > 0) {
            tx.authorizations().verifyOwner();
        } else {
            NvDefinition.countUnownedWrite(tx);
        }
        require(request.data().length == 0, ReturnCode.BADINDEX);
        tx.set(StClearFlags.Flag.GLOBAL_LOCK, true);
        return NoParameters.NONE;
    }

    /** Writes, or sets the write locks if there is nothing to write. */
    private static Record store(Transaction tx, NvArea area, Write request, boolean locked) {
        NvAttributes permission = area.pub().permission();
        NvLocks locks = tx.stClear().nvLocks(area.pub().nvIndex());
        if (locked) {
            PcrInfoShort condition = area.pub().pcrInfoWrite();
            PcrConditions.requireLocality(tx, condition);
            require(!permission.has(Permission.PPWRITE) || tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
            boolean shut = (permission.has(Permission.WRITEDEFINE) && area.pub().writeDefine())
                    || (permission.has(Permission.GLOBALLOCK) && tx.is(StClearFlags.Flag.GLOBAL_LOCK))
                    || (permission.has(Permission.WRITE_STCLEAR) && locks.write());
            require(!shut, ReturnCode.AREA_LOCKED);
            PcrConditions.requirePcrs(tx, condition);
        }
        if (request.data().length == 0) {
            lock(tx, area, locks);
            return NoParameters.NONE;
        }
        requireInside(area, request.offset(), request.data().length);
        require(
                !permission.has(Permission.WRITEALL)
                        || request.data().length == area.pub().dataSize(),
                ReturnCode.NOT_FULLWRITE);
        if (!NvIndex.gpio(request.nvIndex())) {
            byte[] changed = area.data().clone();
            System.arraycopy(request.data(), 0, changed, request.offset(), request.data().length);
            if (!Arrays.equals(changed, area.data())) {
                put(tx, new NvArea(area.pub(), area.authValue(), changed));
            }
        }
        tx.stClear(tx.stClear().withNvLocks(new NvLocks(locks.nvIndex(), false, locks.write())));
        return NoParameters.NONE;
    }

    /** Both locks are set whether or not the area's attributes give them an effect. */
    private static void lock(Transaction tx, NvArea area, NvLocks locks) {
        if (!area.pub().writeDefine()) {
            put(tx, new NvArea(area.pub().withWriteDefine(), area.authValue(), area.data()));
        }
        tx.stClear(tx.stClear().withNvLocks(new NvLocks(locks.nvIndex(), locks.read(), true)));
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
        return fetch(tx, area, request, locked);
    }

    private static Record readAuth(Transaction tx, Read request) {
        NvArea area = defined(tx, request.nvIndex());
        require(area.pub().permission().has(Permission.AUTHREAD), ReturnCode.AUTH_CONFLICT);
        tx.authorizations().verify(0, Entity.nv(request.nvIndex()), area.authValue());
        return fetch(tx, area, request, tx.is(PermanentFlags.Flag.NV_LOCKED));
    }

    /** Reads, or sets the read lock if there is nothing to read. */
    private static Record fetch(Transaction tx, NvArea area, Read request, boolean locked) {
        NvAttributes permission = area.pub().permission();
        NvLocks locks = tx.stClear().nvLocks(area.pub().nvIndex());
        if (locked) {
            PcrConditions.requireLocality(tx, area.pub().pcrInfoRead());
            require(!permission.has(Permission.PPREAD) || tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
        }
        require(!permission.has(Permission.READ_STCLEAR) || !locks.read(), ReturnCode.DISABLED_CMD);
        if (locked) {
            PcrConditions.requirePcrs(tx, area.pub().pcrInfoRead());
        }
        if (request.nvIndex() == NvIndex.DIR) {
            requireInside(area, request.offset(), request.dataSize());
        }
        if (request.dataSize() == 0) {
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

    private static NvArea defined(Transaction tx, int nvIndex) {
        NvArea area = tx.permanent().nvArea(nvIndex);
        if (area == null) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        return area;
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

    /** Offset and size are unsigned, and their sum may have 33 bits. */
    private static void requireInside(NvArea area, int offset, int size) {
        long end = Integer.toUnsignedLong(offset) + Integer.toUnsignedLong(size);
        require(end <= area.pub().dataSize(), ReturnCode.NOSPACE);
    }
}
