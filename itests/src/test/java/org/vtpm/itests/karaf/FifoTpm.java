package org.vtpm.itests.karaf;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.u32;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import org.vtpm.itests.tpm12.TpmChannel;

/**
 * A guest of the legacy listener's, behind the kernel's backend: every frame has the guest's number before it. It holds both
 * FIFOs open for reading and writing, as the backend does, so that a listener may go and the next finds what was sent.
 */
final class FifoTpm implements TpmChannel {
    private static final int PREFIX = 4;
    private static final int HEADER = 10;
    private static final int LARGEST = 4096;

    private final int number;
    private final Duration patience;
    private final RandomAccessFile requests;
    private final RandomAccessFile answers;
    private final FileInputStream incoming;

    /** @param patience how long an answer is waited for; the listener that read the request may be gone */
    FifoTpm(Path fifos, int number, Duration patience) throws IOException {
        this.number = number;
        this.patience = patience;
        requests = new RandomAccessFile(fifos.resolve("dummy_in.fifo").toFile(), "rw");
        answers = new RandomAccessFile(fifos.resolve("dummy_out.fifo").toFile(), "rw");
        incoming = new FileInputStream(answers.getFD());
        // Answers to somebody who gave up.
        while (incoming.available() > 0) {
            take(incoming.available());
        }
    }

    @Override
    public byte[] transmit(byte[] command) throws IOException {
        requests.write(concat(u32(number), command));
        long deadline = System.nanoTime() + patience.toNanos();
        ByteBuffer head = ByteBuffer.wrap(read(PREFIX + HEADER, deadline));
        int size = head.getInt(PREFIX + 2);
        if (head.getInt(0) != number || size < HEADER || size > LARGEST) {
            throw new IOException("an answer for guest " + head.getInt(0) + " of " + size + " bytes");
        }
        byte[] header = new byte[HEADER];
        head.get(PREFIX, header);
        return concat(header, read(size - HEADER, deadline));
    }

    /** The read itself cannot be ended by a time-out, so it only takes what is there. */
    private byte[] read(int count, long deadline) throws IOException {
        while (incoming.available() < count) {
            if (System.nanoTime() > deadline) {
                throw new SocketTimeoutException("no whole answer within " + patience);
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException();
            }
        }
        return take(count);
    }

    /** Not the call that returns a new array: it asks the file for its position, and a FIFO has none. */
    private byte[] take(int count) throws IOException {
        byte[] taken = new byte[count];
        incoming.readNBytes(taken, 0, count);
        return taken;
    }

    @Override
    public void close() {
        try (requests;
                answers) {
            incoming.close();
        } catch (IOException e) {
            throw new IllegalStateException("a FIFO cannot be closed", e);
        }
    }
}
