package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.TpmChannel;

/**
 * A guest that works on, whatever happens to its TPM: it counts in an NV area and measures into a PCR without pause, and
 * connects anew when its TPM is gone. It fails as soon as a count that was acknowledged is not there, a command was carried
 * out that was answered with TPM_FAIL, or a PCR holds neither what was measured into it nor what it holds after a power
 * cycle. Counters may be read from any thread.
 */
final class LastingGuest {
    /** There is no TPM that runs: then guests get TPM_FAIL. */
    private static final class NoTpmException extends IOException {
        private static final long serialVersionUID = 1L;

        NoTpmException() {
            super("there is no TPM now");
        }
    }

    /** How a guest gets to its TPM. */
    @FunctionalInterface
    interface Way {
        TpmChannel open() throws IOException;
    }

    private static final int PCR = 10;
    private static final int INDEX = 0x1101;
    private static final int COUNT_SIZE = 4;
    private static final int TPM_FAIL = 9;
    private static final long PAUSE_MILLIS = 5;

    private final String name;
    private final Way way;
    private @Nullable Tpm12Client tpm;
    private int acknowledged;
    private byte[] chain = zeros();
    /** What the PCR holds if the extension that got no answer was made. */
    private byte[] extended = zeros();
    /** Whether there was no answer that tells if the last command was carried out. */
    private boolean uncertain;

    private final AtomicInteger steps = new AtomicInteger();
    private final AtomicInteger interruptions = new AtomicInteger();
    private final AtomicInteger powerCycles = new AtomicInteger();
    private final AtomicInteger refusals = new AtomicInteger();

    LastingGuest(String name, Way way) {
        this.name = name;
        this.way = way;
    }

    String name() {
        return name;
    }

    /** Rounds of its work, each with a change of permanent state that was acknowledged. */
    int steps() {
        return steps.get();
    }

    /** How often its TPM was gone: not reachable any more, or without power. */
    int interruptions() {
        return interruptions.get();
    }

    /** How often it found its TPM as it is after power was off. */
    int powerCycles() {
        return powerCycles.get();
    }

    /** How often it was told that it has no TPM that runs. */
    int refusals() {
        return refusals.get();
    }

    /** Takes ownership, as a TPM without an owner takes 64 writes only, and defines the area it counts in. */
    void furnish() throws IOException {
        try (Tpm12Client first = new Tpm12Client(way.open(), new SecureRandom())) {
            first.takeOwnership(zeros(), zeros()).orFail();
            first.nvDefine(INDEX, COUNT_SIZE, Structures.NV_PER_PPWRITE).orFail();
            count(first, 0).orFail();
        }
    }

    /** One round of work, or an attempt to reach the TPM again. */
    void work() throws InterruptedException {
        Tpm12Client current = tpm;
        if (current == null) {
            try {
                current = new Tpm12Client(way.open(), new SecureRandom());
                findAgain(current);
                tpm = current;
            } catch (IOException e) {
                hangUp(current);
                Thread.sleep(PAUSE_MILLIS);
                return;
            }
        }
        try {
            int next = acknowledged + 1;
            there(count(current, next));
            acknowledged = next;
            extended = sha1(chain, sha1(u32(next)));
            byte[] pcr = there(current.extend(PCR, sha1(u32(next)))).body();
            if (!Arrays.equals(pcr, extended)) {
                // Behind FIFOs, nothing is cut when the power is: only the PCR tells.
                assertThat(pcr).as(name + ": PCR after count " + next).isEqualTo(sha1(zeros(), sha1(u32(next))));
                powerCycles.incrementAndGet();
            }
            chain = pcr;
            steps.incrementAndGet();
        } catch (IOException e) {
            uncertain = !(e instanceof NoTpmException);
            tpm = null;
            interruptions.incrementAndGet();
            hangUp(current);
        }
    }

    /** What is left when a TPM was gone: all that was acknowledged, and perhaps what got no answer. */
    private void findAgain(Tpm12Client again) throws IOException {
        byte[] pcr = there(again.pcrRead(PCR)).body();
        int counted = ByteBuffer.wrap(there(again.nvRead(INDEX, 0, COUNT_SIZE)).body())
                .getInt(COUNT_SIZE);
        assertThat(counted)
                .as(name + ": count found again")
                .isBetween(acknowledged, uncertain ? acknowledged + 1 : acknowledged);
        acknowledged = counted;
        if (!Arrays.equals(pcr, chain) && !(uncertain && Arrays.equals(pcr, extended))) {
            assertThat(pcr).as(name + ": PCR found again").isEqualTo(zeros());
            powerCycles.incrementAndGet();
        }
        chain = pcr;
        extended = pcr;
    }

    private static Response count(Tpm12Client tpm, int value) throws IOException {
        return tpm.nvWrite(INDEX, 0, u32(value));
    }

    /** An answer of the TPM itself. */
    private Response there(Response response) throws IOException {
        if (response.code() == TPM_FAIL) {
            refusals.incrementAndGet();
            throw new NoTpmException();
        }
        return response.orFail();
    }

    private static void hangUp(@Nullable Tpm12Client tpm) {
        if (tpm != null) {
            tpm.close();
        }
    }

    @Override
    public String toString() {
        return name + ": " + steps + " steps, " + interruptions + " interruptions, " + powerCycles + " power cycles";
    }
}
