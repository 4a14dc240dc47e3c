package org.vtpm.engine.tpm12.command;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.engine.tpm12.command.Command.Rule;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.engine.tpm12.state.VolatileState;
import org.vtpm.engine.tpm12.state.VolatileState.SelfTest;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Takes a request apart, checks it against the {@link CommandTable} and puts the response together. The specification
 * leaves open which of several errors is reported; the order here is that of libtpms, which guests know.
 */
final class Dispatcher {
    private static final int HEADER = 10;
    private static final int SIZE_OFFSET = 2;
    private static final int RQU_COMMAND = 0x00C1;
    private static final int RSP_COMMAND = 0x00C4;
    private static final int MAX_AUTHORIZATIONS = 2;

    private final Handlers handlers;

    Dispatcher(Handlers handlers) {
        this.handlers = handlers;
    }

    /** The ordinal of a request that has a header and the size it says. */
    static int ordinal(byte[] request) {
        try {
            ByteReader in = new ByteReader(request);
            require(request.length >= HEADER && request.length <= Command.MAX_BYTES, ReturnCode.BAD_PARAM_SIZE);
            in.u16();
            require(in.i32() == request.length, ReturnCode.BAD_PARAM_SIZE);
            return in.i32();
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        }
    }

    /** What carries out an ordinal. */
    Handlers.Bound<?> find(int ordinal) {
        Handlers.Bound<?> bound = handlers.find(ordinal);
        if (bound == null) {
            throw new TpmException(ReturnCode.BAD_ORDINAL);
        }
        return bound;
    }

    /** Runs a command to its response; the caller keeps or drops the transaction. */
    byte[] run(Transaction tx, Handlers.Bound<?> bound, byte[] request) {
        Command command = tx.command();
        ByteReader in = new ByteReader(request, HEADER, request.length);
        int tag = ((request[0] & 0xFF) << 8) | (request[1] & 0xFF);
        int authorizations = tag - RQU_COMMAND;
        try {
            if (command.beforeSelfTest() == Rule.NO) {
                finishSelfTest(tx);
            }
            Handlers.Call call = bound.decode(in);
            checkMode(tx, authorizations != 0);
            require(
                    authorizations >= 0 && authorizations <= MAX_AUTHORIZATIONS && command.allows(authorizations),
                    ReturnCode.BADTAG);
            tx.authorizations().read(in, authorizations);
            in.expectEnd();
            require(command.presence() != Rule.YES || tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
            require(((command.localities() >> tx.locality()) & 1) != 0, ReturnCode.BAD_LOCALITY);
            Auditing auditing = Auditing.begin(tx);
            return respond(tx, call.run(tx), auditing, authorizations);
        } catch (CodecException e) {
            throw new TpmException(returnCode(e));
        }
    }

    /** A response that says only that the command failed. */
    static byte[] failure(ReturnCode code) {
        return new ByteWriter(HEADER)
                .u16(RSP_COMMAND)
                .i32(HEADER)
                .i32(code.code())
                .finish();
    }

    private static void checkMode(Transaction tx, boolean authorized) {
        Command command = tx.command();
        VolatileState volatiles = tx.volatiles();
        long now = tx.environment().nanoClock().getAsLong();
        boolean locked =
                authorized && command.lockout() && tx.stClear().lockout().remainingNanos(now) > 0;
        require(!locked, ReturnCode.DEFEND_LOCK_RUNNING);
        require(volatiles.selfTest() != SelfTest.FAILED || holds(tx, command.failed()), ReturnCode.FAILEDSELFTEST);
        require(!volatiles.postInitialise() || holds(tx, command.beforeStartup()), ReturnCode.INVALID_POSTINIT);
        require(!tx.is(PermanentFlags.Flag.DISABLE) || holds(tx, command.disabled()), ReturnCode.DISABLED);
        require(!tx.is(StClearFlags.Flag.DEACTIVATED) || holds(tx, command.deactivated()), ReturnCode.DEACTIVATED);
        require(tx.permanent().owner() != null || holds(tx, command.unowned()), ReturnCode.NOSRK);
    }

    private static boolean holds(Transaction tx, Rule rule) {
        return rule == Rule.YES
                || rule == Rule.HANDLER
                || (rule == Rule.WHILE_NV_UNLOCKED && !tx.is(PermanentFlags.Flag.NV_LOCKED));
    }

    /** A command that needs the whole TPM runs the outstanding self-test first. */
    private static void finishSelfTest(Transaction tx) {
        VolatileState volatiles = tx.volatiles();
        if (volatiles.selfTest() == SelfTest.LIMITED && !volatiles.postInitialise()) {
            SelfTests.run(tx);
        }
    }

    @SuppressWarnings("unchecked") // the codec of the record's own class
    private static byte[] respond(Transaction tx, Record response, Auditing auditing, int authorizations) {
        ByteWriter out =
                new ByteWriter().u16(RSP_COMMAND + authorizations).i32(0).i32(ReturnCode.SUCCESS.code());
        ((Codec<Record>) Codec.of(response.getClass())).write(out, response);
        if (authorizations > 0 || auditing.audited()) {
            byte[] soFar = out.toByteArray();
            int parameters = HEADER + tx.command().outHandleBytes();
            byte[] outDigest = tx.authorizations().outputDigest(Arrays.copyOfRange(soFar, parameters, soFar.length));
            auditing.succeeded(outDigest);
            tx.authorizations().respond(out, outDigest);
        }
        require(out.size() <= Command.MAX_BYTES, ReturnCode.SIZE);
        out.patch(SIZE_OFFSET, out.size(), Integer.BYTES);
        return out.finish();
    }

    private static ReturnCode returnCode(CodecException e) {
        return switch (e.kind()) {
            case TRUNCATED, TRAILING -> ReturnCode.BAD_PARAM_SIZE;
            case BAD_BOOL -> ReturnCode.BAD_PARAMETER;
            case BAD_TAG -> ReturnCode.INVALID_STRUCTURE;
            case BAD_VERSION -> ReturnCode.BAD_VERSION;
            // The only length in a request that has a bound is that of a PCR selection.
            case TOO_LONG -> ReturnCode.INVALID_PCR_INFO;
        };
    }
}
