package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.api.engine.LaunchSignal.HASH_DATA;
import static org.vtpm.api.engine.LaunchSignal.HASH_END;
import static org.vtpm.api.engine.LaunchSignal.HASH_START;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.StateFormat;
import org.vtpm.tpm12.structure.ReturnCode;

/** TPM_HASH_START, TPM_HASH_DATA and TPM_HASH_END (TCG PC Client Specific TPM Interface Specification 1.2). */
class DynamicLaunchTest {
    private static final byte[] NOTHING = {};
    private static final byte[] ZEROS = new byte[Sha1.LENGTH];
    private static final byte[] ONES = ones();
    private static final byte[] FIRST = "first".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SECOND = "second".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] MEASURED = Sha1.of(ZEROS, Sha1.of(FIRST, SECOND));

    private final TestTpm tpm = TestTpm.started();

    @Test
    void whatIsLaunchedIsMeasuredIntoPcr17() throws Exception {
        tpm.send(0, TestTpm.COMMAND, "Extend", u32(16), MEASURED);
        byte[] debug = pcr(16);
        assertThat(pcr(17)).isEqualTo(ONES);
        signal(HASH_START, NOTHING, ReturnCode.SUCCESS);
        assertThat(IntStream.rangeClosed(17, 22).mapToObj(this::pcr)).allMatch(pcr -> Arrays.equals(pcr, ZEROS));
        signal(HASH_DATA, FIRST, ReturnCode.SUCCESS);
        signal(HASH_DATA, NOTHING, ReturnCode.SUCCESS);
        signal(HASH_DATA, SECOND, ReturnCode.SUCCESS);
        signal(HASH_END, NOTHING, ReturnCode.SUCCESS);
        assertThat(pcr(17)).isEqualTo(MEASURED);
        assertThat(pcr(18)).isEqualTo(ZEROS);
        assertThat(pcr(16)).isEqualTo(debug);
        assertThat(established()).isTrue();
    }

    @Test
    void onlyTheProcessorExtendsPcr17First() {
        signal(HASH_START, NOTHING, ReturnCode.SUCCESS);
        tpm.send(3, TestTpm.COMMAND, "Extend", u32(17), MEASURED).is(ReturnCode.BAD_LOCALITY);
        signal(HASH_END, NOTHING, ReturnCode.SUCCESS);
        tpm.send(3, TestTpm.COMMAND, "Extend", u32(17), MEASURED).is(ReturnCode.SUCCESS);
    }

    @Test
    void commandsBetweenTheSignalsDoNotMix() {
        signal(HASH_START, NOTHING, ReturnCode.SUCCESS);
        signal(HASH_DATA, FIRST, ReturnCode.SUCCESS);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        signal(HASH_DATA, SECOND, ReturnCode.SUCCESS);
        assertThat(tpm.send("SHA1Complete", sized(FIRST)).is(ReturnCode.SUCCESS).parameters())
                .isEqualTo(Sha1.of(FIRST));
        signal(HASH_END, NOTHING, ReturnCode.SUCCESS);
        assertThat(pcr(17)).isEqualTo(MEASURED);
    }

    @Test
    void itGoesOnInASnapshot() {
        signal(HASH_START, NOTHING, ReturnCode.SUCCESS);
        signal(HASH_DATA, FIRST, ReturnCode.SUCCESS);
        tpm.resume(tpm.snapshot());
        signal(HASH_DATA, SECOND, ReturnCode.SUCCESS);
        signal(HASH_END, NOTHING, ReturnCode.SUCCESS);
        assertThat(pcr(17)).isEqualTo(MEASURED);
    }

    @Test
    void afterALaunchPcrsAreResetToZero() {
        signal(HASH_START, NOTHING, ReturnCode.SUCCESS);
        signal(HASH_END, NOTHING, ReturnCode.SUCCESS);
        tpm.send(4, TestTpm.COMMAND, "PCR_Reset", new byte[] {0, 3, 0, 0, 2}).is(ReturnCode.SUCCESS);
        assertThat(pcr(17)).isEqualTo(ZEROS);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        assertThat(pcr(17)).isEqualTo(ONES);
    }

    @Test
    void aLaunchEndsWhatSaveStateKept() {
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        signal(HASH_START, NOTHING, ReturnCode.SUCCESS);
        assertThat(tpm.stored.get(StateKind.SAVED)).isEmpty();
    }

    @Test
    void signalsOutOfTurnAreFailures() {
        fails(ReturnCode.SHA_THREAD, HASH_DATA);
        fails(ReturnCode.SHA_THREAD, HASH_END);
        fails(ReturnCode.FAIL, HASH_START, HASH_START);
        fails(ReturnCode.SHA_THREAD, HASH_START, HASH_END, HASH_END);
        tpm.powerCycle();
        signal(HASH_START, NOTHING, ReturnCode.INVALID_POSTINIT);
        TestTpm.parse(tpm.execute(0, tpm.startupCommand(StartupMode.CLEAR))).is(ReturnCode.FAILEDSELFTEST);
    }

    @Test
    void aLaunchThatCannotBeStoredDoesNotBegin() throws Exception {
        tpm.storeFails = true;
        signal(HASH_START, NOTHING, ReturnCode.IOERROR);
        assertThat(pcr(17)).isEqualTo(ONES);
        tpm.storeFails = false;
        assertThat(established()).isFalse();
        signal(HASH_START, NOTHING, ReturnCode.SUCCESS);
        assertThat(established()).isTrue();
    }

    /** The last of the signals fails, and so does the TPM. */
    private void fails(ReturnCode code, LaunchSignal... signals) {
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        for (int i = 0; i < signals.length - 1; i++) {
            signal(signals[i], NOTHING, ReturnCode.SUCCESS);
        }
        signal(signals[signals.length - 1], NOTHING, code);
        tpm.send("GetTicks").is(ReturnCode.FAILEDSELFTEST);
        signal(HASH_START, NOTHING, ReturnCode.FAILEDSELFTEST);
    }

    private void signal(LaunchSignal signal, byte[] data, ReturnCode expected) {
        assertThat(tpm.launch(signal, data)).as("%s", signal).isEqualTo(expected.code());
    }

    private byte[] pcr(int pcr) {
        return tpm.send("PcrRead", u32(pcr)).is(ReturnCode.SUCCESS).parameters();
    }

    private boolean established() throws Exception {
        return StateFormat.decodePermanent(tpm.stored.get(StateKind.PERMANENT))
                .flags()
                .is(PermanentFlags.Flag.TPM_ESTABLISHED);
    }

    private static byte[] ones() {
        byte[] ones = new byte[Sha1.LENGTH];
        Arrays.fill(ones, (byte) 0xFF);
        return ones;
    }
}
