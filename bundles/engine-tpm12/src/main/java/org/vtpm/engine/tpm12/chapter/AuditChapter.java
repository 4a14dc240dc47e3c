package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Auditing;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.Command.Audit;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.CounterValue;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.SignInfo;
import org.vtpm.tpm12.structure.TpmException;

/** Auditing (TPM Main Part 3, sections 8 and 28.2); {@link Auditing} keeps the audit digest. */
public final class AuditChapter implements Chapter {
    record SetOrdinalAuditStatus(int ordinalToAudit, boolean auditState) {}

    record GetOrdinalAuditStatus(int ordinalToQuery) {}

    record OrdinalAuditStatus(boolean state) {}

    record GetAuditDigest(int startOrdinal) {}

    record AuditDigest(
            CounterValue counterValue,
            @Fixed(20) byte[] auditDigest,
            boolean more,
            @Sized byte[] ordList) {}

    record GetAuditDigestSigned(
            int keyHandle, boolean closeAudit, @Fixed(20) byte[] antiReplay) {}

    record SignedAuditDigest(
            CounterValue counterValue,
            @Fixed(20) byte[] auditDigest,
            @Fixed(20) byte[] ordinalDigest,
            @Sized byte[] sig) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on(
                "SetOrdinalAuditStatus",
                SetOrdinalAuditStatus.class,
                (tx, request) -> setOrdinalAuditStatus(handlers, tx, request));
        handlers.on(
                "GetOrdinalAuditStatus",
                GetOrdinalAuditStatus.class,
                (tx, request) -> getOrdinalAuditStatus(handlers, tx, request));
        handlers.on("GetAuditDigest", GetAuditDigest.class, AuditChapter::getAuditDigest);
        handlers.on("GetAuditDigestSigned", GetAuditDigestSigned.class, AuditChapter::getAuditDigestSigned);
    }

    private static Record setOrdinalAuditStatus(Handlers handlers, Transaction tx, SetOrdinalAuditStatus request) {
        tx.authorizations().verifyOwner();
        Command command = supported(handlers, request.ordinalToAudit());
        require(command.audit() != Audit.NEVER, ReturnCode.BADINDEX);
        Auditing.setAudited(tx, command, request.auditState());
        return NoParameters.NONE;
    }

    private static Record getOrdinalAuditStatus(Handlers handlers, Transaction tx, GetOrdinalAuditStatus request) {
        return new OrdinalAuditStatus(Auditing.isAudited(tx, supported(handlers, request.ordinalToQuery())));
    }

    private static Command supported(Handlers handlers, int ordinal) {
        Command command = command(ordinal);
        if (command == null || !handlers.supports(ordinal)) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        return command;
    }

    private static @Nullable Command command(int ordinal) {
        for (Command command : CommandTable.all()) {
            if (command.ordinal() == ordinal) {
                return command;
            }
        }
        return null;
    }

    /** All ordinals fit into one response. */
    private static Record getAuditDigest(Transaction tx, GetAuditDigest request) {
        return new AuditDigest(
                Auditing.counter(tx), tx.stClear().auditDigest(), false, ordinals(tx, request.startOrdinal()));
    }

    /** What is returned is what is signed, also when the audit session is closed. */
    private static Record getAuditDigestSigned(Transaction tx, GetAuditDigestSigned request) {
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Signature.requireSigner(key);
        byte[] auditDigest = tx.stClear().auditDigest();
        if (request.closeAudit()) {
            Keys.requireUsage(key, KeyUsage.IDENTITY);
            tx.stClear(tx.stClear().withAuditDigest(new byte[Sha1.LENGTH]));
        }
        CounterValue counter = Auditing.counter(tx);
        byte[] ordinalDigest = Sha1.of(ordinals(tx, 0));
        byte[] audited = new ByteWriter()
                .bytes(auditDigest)
                .bytes(Codec.of(CounterValue.class).encode(counter))
                .bytes(ordinalDigest)
                .finish();
        SignInfo info = SignInfo.of("ADIG", request.antiReplay(), audited);
        return new SignedAuditDigest(counter, auditDigest, ordinalDigest, Signature.ofDigest(tx, key, info.digest()));
    }

    /** The audited ordinals from a first one on, four bytes each. */
    private static byte[] ordinals(Transaction tx, int first) {
        ByteWriter out = new ByteWriter();
        for (int ordinal : Auditing.auditedOrdinals(tx)) {
            if (Integer.compareUnsigned(ordinal, first) >= 0) {
                out.i32(ordinal);
            }
        }
        return out.finish();
    }
}
