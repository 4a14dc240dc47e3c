package org.vtpm.itests.process;

import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Tpm12Client;

/** A guest that knows what every answer of its TPM must be. */
final class HonestGuest implements Peer {
    private static final int PCRS = 16;

    private final Tpm12Client tpm;
    private final Random random;
    private final byte[][] pcrs = new byte[PCRS][];
    private long answers;
    private Duration slowest = Duration.ZERO;

    /** @param tpm one that has just started */
    HonestGuest(SocketTpm tpm, long seed) {
        this.random = new Random(seed);
        this.tpm = new Tpm12Client(tpm, random);
        Arrays.setAll(pcrs, index -> zeros());
    }

    @Override
    public void round() throws IOException {
        int pcr = random.nextInt(PCRS);
        long begin = System.nanoTime();
        byte[] answer;
        if (random.nextBoolean()) {
            byte[] digest = tpm.nonce();
            pcrs[pcr] = sha1(pcrs[pcr], digest);
            answer = tpm.extend(pcr, digest).orFail().body();
        } else {
            answer = tpm.pcrRead(pcr).orFail().body();
        }
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        if (!Arrays.equals(answer, pcrs[pcr])) {
            throw new AssertionError("PCR " + pcr + " is not what it must be after " + answers + " right answers");
        }
        answers++;
        slowest = took.compareTo(slowest) > 0 ? took : slowest;
    }

    @Override
    public String toString() {
        return answers + " right answers, the slowest after " + slowest.toMillis() + " ms";
    }

    @Override
    public void close() {
        tpm.close();
    }
}
