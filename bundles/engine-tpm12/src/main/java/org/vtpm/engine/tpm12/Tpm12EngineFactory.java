package org.vtpm.engine.tpm12;

import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.engine.ConvertedState;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.engine.TpmModel;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.chapter.Chapters;
import org.vtpm.engine.tpm12.chapter.EndorsementCertificate;
import org.vtpm.engine.tpm12.chapter.EndorsementKey;
import org.vtpm.engine.tpm12.chapter.Identification;
import org.vtpm.engine.tpm12.chapter.StartupChapter;
import org.vtpm.engine.tpm12.command.Environment;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Tpm12Engine;
import org.vtpm.engine.tpm12.foreign.LibtpmsState;
import org.vtpm.engine.tpm12.foreign.SwtpmFile;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.StateFormat;

/** Makes TPMs of family 1.2. Thread-safe; all engines share the command table, nothing else. */
public final class Tpm12EngineFactory implements EngineFactory {
    private static final int TAG_RQU_COMMAND = 0x00C1;
    private static final int STARTUP_SIZE = 12;
    private static final int ORD_STARTUP = 0x99;

    private final Handlers handlers = Chapters.handlers();
    private final Supplier<BigNumberProvider> bigNumbers;
    private final Supplier<SecureRandom> randoms;
    private final LongSupplier nanoClock;
    private final LongSupplier wallClock;

    /**
     * Makes the factory of TPMs in production.
     *
     * @param bigNumbers asked for the provider anew for each operation, so that it may be exchanged while TPMs run
     */
    public Tpm12EngineFactory(Supplier<BigNumberProvider> bigNumbers) {
        this(bigNumbers, Tpm12EngineFactory::newRandom, System::nanoTime, System::currentTimeMillis);
    }

    /**
     * Makes a factory with a clock and generators of the caller's choice.
     *
     * @param randoms makes the random number generator of one engine
     * @param nanoClock only runs forward, in nanoseconds
     * @param wallClock the calendar, in milliseconds since 1970
     */
    Tpm12EngineFactory(
            Supplier<BigNumberProvider> bigNumbers,
            Supplier<SecureRandom> randoms,
            LongSupplier nanoClock,
            LongSupplier wallClock) {
        this.bigNumbers = bigNumbers;
        this.randoms = randoms;
        this.nanoClock = nanoClock;
        this.wallClock = wallClock;
    }

    @Override
    public TpmFamily family() {
        return TpmFamily.TPM_1_2;
    }

    @Override
    public byte[] manufacture(boolean endorsementKey) {
        PermanentState state =
                PermanentState.factory(endorsementKey ? EndorsementKey.make(environment(), new byte[20]) : null);
        try {
            return StateFormat.encodePermanent(state);
        } finally {
            state.zeroSecrets();
        }
    }

    /** What comes out is opened once, so that nothing is handed on that would not run. */
    @Override
    public ConvertedState convert(ForeignState foreign) throws EngineStateException {
        byte[] blob = SwtpmFile.open(foreign);
        byte[] permanent = {};
        try {
            LibtpmsState read = LibtpmsState.read(blob);
            try {
                permanent = StateFormat.encodePermanent(read.permanent());
            } finally {
                read.permanent().zeroSecrets();
            }
            open(Map.of(StateKind.PERMANENT, permanent)).close();
            List<String> notes = new ArrayList<>(read.notes());
            notes.addAll(SwtpmFile.leftBehind(foreign));
            return new ConvertedState(permanent, notes);
        } catch (EngineStateException e) {
            Secrets.zero(permanent);
            throw e;
        } finally {
            Secrets.zero(blob);
        }
    }

    @Override
    public TpmModel model() {
        return Identification.model();
    }

    @Override
    public byte[] endorse(byte[] permanent, byte[] certificate) throws EngineStateException {
        PermanentState state = StateFormat.decodePermanent(permanent);
        try {
            return StateFormat.encodePermanent(EndorsementCertificate.install(state, certificate));
        } finally {
            state.zeroSecrets();
        }
    }

    @Override
    public Optional<EndorsementInfo> endorsement(byte[] permanent) throws EngineStateException {
        PermanentState state = StateFormat.decodePermanent(permanent);
        try {
            Endorsement endorsement = state.endorsement();
            return endorsement == null
                    ? Optional.empty()
                    : Optional.of(new EndorsementInfo(
                            EndorsementKey.subjectPublicKeyInfo(endorsement.publicKey()),
                            EndorsementCertificate.read(state)));
        } finally {
            state.zeroSecrets();
        }
    }

    @Override
    public Engine open(Map<StateKind, byte[]> state) throws EngineStateException {
        return new Tpm12Engine(handlers, environment(), state);
    }

    @Override
    public byte[] startupCommand(StartupMode mode) {
        int type = switch (mode) {
            case CLEAR -> StartupChapter.ST_CLEAR;
            case STATE -> StartupChapter.ST_STATE;
            case DEACTIVATED -> StartupChapter.ST_DEACTIVATED;
            case NONE -> throw new IllegalArgumentException("no command starts a TPM that is not started");
        };
        return new ByteWriter(STARTUP_SIZE)
                .u16(TAG_RQU_COMMAND)
                .i32(STARTUP_SIZE)
                .i32(ORD_STARTUP)
                .u16(type)
                .finish();
    }

    private Environment environment() {
        return new Environment(randoms.get(), nanoClock, wallClock, bigNumbers);
    }

    /** A generator of its own for each engine: the operating system's is behind one lock for the whole process. */
    private static SecureRandom newRandom() {
        try {
            return SecureRandom.getInstance("DRBG");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no DRBG", e);
        }
    }
}
