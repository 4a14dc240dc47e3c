package org.vtpm.engine.tpm12.command;

import java.util.Arrays;
import java.util.List;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Command.Audit;
import org.vtpm.engine.tpm12.state.AuditSettings;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.engine.tpm12.state.VolatileState.SelfTest;
import org.vtpm.tpm12.structure.AuditEventIn;
import org.vtpm.tpm12.structure.AuditEventOut;
import org.vtpm.tpm12.structure.CounterValue;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Extends the audit digest with the commands that are audited, if they succeed (TPM Main Part 1, section 14). The first
 * one after the digest was zero begins an audit session: the audit counter goes up, and is stored together with what
 * the command itself changes, before the response leaves. If that can not be stored the command is undone too. Of a
 * command in an encrypted transport session the digest has only the ordinal, so that it tells nothing of the parameters.
 */
public final class Auditing {
    /** What it keeps of this command is what it will be restored with, so that only its input can be in there. */
    private static final String INPUT_ONLY = "SaveState";

    /** The audit counter has no label. */
    private static final byte[] NO_LABEL = new byte[4];

    private static final int LAST_VALUE = 0xFFFFFFFF;

    private final Transaction tx;
    private final boolean audited;

    private Auditing(Transaction tx, boolean audited) {
        this.tx = tx;
        this.audited = audited;
    }

    /** Before a command acts: whether it is audited does not depend on what it does. */
    static Auditing begin(Transaction tx) {
        Auditing auditing = new Auditing(tx, isAudited(tx, tx.command()));
        if (auditing.inputOnly()) {
            auditing.input();
        }
        return auditing;
    }

    /** Whether this command is audited. */
    boolean audited() {
        return audited;
    }

    /** After a command succeeded. */
    void succeeded(byte[] outputDigest) {
        if (audited && !inputOnly()) {
            input();
            byte[] digest = hidden()
                    ? Sha1.of(new byte[Integer.BYTES], ordinal())
                    : tx.authorizations().auditedOutput(outputDigest);
            AuditEventOut event = new AuditEventOut(digest, counter(tx));
            extend(Codec.of(AuditEventOut.class).encode(event));
        }
    }

    /** Whether a command's execution is audited. */
    public static boolean isAudited(Transaction tx, Command command) {
        return isAudited(tx.permanent(), command);
    }

    static boolean isAudited(PermanentState permanent, Command command) {
        return switch (command.audit()) {
            case ON -> !permanent.audit().differs(command.ordinal());
            case OFF -> permanent.audit().differs(command.ordinal());
            case NEVER -> false;
        };
    }

    /** Decides whether a command's execution is audited; it must be one that can be. */
    public static void setAudited(Transaction tx, Command command, boolean audited) {
        if (command.audit() == Audit.NEVER) {
            throw new IllegalArgumentException(command.name() + " is never audited");
        }
        if (isAudited(tx, command) != audited) {
            tx.permanent(tx.permanent().withAudit(tx.permanent().audit().toggled(command.ordinal())));
        }
    }

    /** The ordinals of all audited commands, by rising ordinal. */
    public static List<Integer> auditedOrdinals(Transaction tx) {
        return CommandTable.all().stream()
                .filter(command -> isAudited(tx, command))
                .map(Command::ordinal)
                .toList();
    }

    /** The audit counter. */
    public static CounterValue counter(Transaction tx) {
        return new CounterValue(NO_LABEL, tx.permanent().audit().monotonicCounter());
    }

    private boolean hidden() {
        TransportSession transport = tx.transport();
        return transport != null && transport.encrypts();
    }

    private byte[] ordinal() {
        return new ByteWriter(Integer.BYTES).i32(tx.command().ordinal()).finish();
    }

    private boolean inputOnly() {
        return audited && tx.command().name().equals(INPUT_ONLY);
    }

    private void input() {
        if (Arrays.equals(tx.stClear().auditDigest(), new byte[Sha1.LENGTH])) {
            beginSession();
        }
        byte[] digest = hidden() ? Sha1.of(ordinal()) : tx.authorizations().auditedInput();
        AuditEventIn event = new AuditEventIn(digest, counter(tx));
        extend(Codec.of(AuditEventIn.class).encode(event));
    }

    /** A count that came round would make two audit sessions look the same: auditing fails, and the TPM with it. */
    private void beginSession() {
        AuditSettings settings = tx.permanent().audit();
        if (settings.monotonicCounter() == LAST_VALUE) {
            tx.stick(state -> state.withVolatiles(state.volatiles().withSelfTest(SelfTest.FAILED)));
            throw new TpmException(ReturnCode.AUDITFAIL_SUCCESSFUL);
        }
        tx.permanent(tx.permanent().withAudit(settings.counted()));
    }

    private void extend(byte[] event) {
        tx.stClear(tx.stClear().withAuditDigest(Sha1.of(tx.stClear().auditDigest(), event)));
    }
}
