package org.vtpm.hosttpm;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One connection to a TPM, for one sequence of commands. After any exception it is of no use any more: what would come next
 * may be the late answer to an earlier command. For one thread at a time.
 */
public final class TpmConnection implements AutoCloseable {
    /** The longest command or response in bytes: what Linux' driver and the usual TPMs take at most. */
    public static final int LONGEST = 4096;

    private static final int HEADER = 10;
    private static final int SIZE_AT = 2;
    private static final Duration BUSY_PAUSE = Duration.ofMillis(50);

    private final TpmPlace place;
    private final Duration timeout;
    private final Runnable whenClosed;
    // A read from a device has no time-out of its own, so that another thread than the caller's has to be stuck in it.
    private final ExecutorService worker;
    private final ByteChannel channel;
    private boolean usable = true;
    private boolean closed;

    private TpmConnection(
            TpmPlace place, Duration timeout, Runnable whenClosed, ExecutorService worker, ByteChannel channel) {
        this.place = place;
        this.timeout = timeout;
        this.whenClosed = whenClosed;
        this.worker = worker;
        this.channel = channel;
    }

    static TpmConnection open(TpmPlace place, Duration timeout, Runnable whenClosed) throws HostTpmException {
        ExecutorService worker = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "vtpm-host-tpm " + place);
            thread.setDaemon(true);
            return thread;
        });
        Future<ByteChannel> connecting = worker.submit(() -> connect(place, timeout));
        try {
            ByteChannel channel = connecting.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return new TpmConnection(place, timeout, whenClosed, worker, channel);
        } catch (ExecutionException e) {
            worker.shutdown();
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new HostTpmException(Advice.unreachable(place, cause), cause);
        } catch (TimeoutException e) {
            worker.execute(() -> closeLate(connecting));
            worker.shutdown();
            throw new HostTpmException("the TPM at " + place + " cannot be reached: no connection within "
                    + timeout.toSeconds() + " s; look whether its host is up, or another program holds it");
        } catch (InterruptedException e) {
            worker.execute(() -> closeLate(connecting));
            worker.shutdown();
            throw interrupted(place);
        }
    }

    /**
     * Sends one command and waits for its response.
     *
     * @param command with its header, at most {@value #LONGEST} bytes
     * @return exactly one response: at least a header of 10 bytes, at most {@value #LONGEST}
     * @throws HostTpmException if the TPM went away, is silent, or does not send a response
     */
    public byte[] transmit(byte[] command) throws HostTpmException {
        if (command.length < HEADER || command.length > LONGEST) {
            throw new IllegalArgumentException("a command of " + command.length + " bytes");
        }
        if (!usable) {
            throw new HostTpmException("the connection to the TPM at " + place + " failed before");
        }
        usable = false;
        Future<byte[]> exchange = worker.submit((Callable<byte[]>) () -> exchange(command));
        try {
            byte[] response = exchange.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            usable = true;
            return response;
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw cause instanceof HostTpmException told
                    ? told
                    : new HostTpmException(
                            "the TPM at " + place + " went away in the middle of a command: " + cause.getMessage()
                                    + "; look at what serves it, then try again",
                            cause);
        } catch (TimeoutException e) {
            throw new HostTpmException("the TPM at " + place + " did not answer within " + timeout.toSeconds()
                    + " s; if it is only slow, configure a longer time-out");
        } catch (InterruptedException e) {
            throw interrupted(place);
        }
    }

    /** Closes the connection, and gives others their turn. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        // Closing a device waits for who is stuck in it, so the caller does not.
        Thread closer = new Thread(this::closeChannel, "vtpm-host-tpm closes " + place);
        closer.setDaemon(true);
        worker.shutdown();
        closer.start();
        try {
            closer.join(usable ? timeout.toMillis() : BUSY_PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        whenClosed.run();
    }

    private void closeChannel() {
        try {
            channel.close();
        } catch (IOException e) {
            // It is of no use any more in either case.
        }
    }

    private byte[] exchange(byte[] command) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(command);
        while (out.hasRemaining()) {
            channel.write(out);
        }
        ByteBuffer in = ByteBuffer.allocate(LONGEST);
        int size = LONGEST;
        while (in.position() < HEADER || in.position() < size) {
            if (channel.read(in) <= 0) {
                throw new EOFException(in.position() == 0 ? "no response" : "half a response");
            }
            if (in.position() >= HEADER) {
                size = in.getInt(SIZE_AT);
                if (size < HEADER || size > LONGEST || in.position() > size) {
                    throw new HostTpmException("what is at " + place + " does not answer as a TPM does: a response of "
                            + in.position() + " bytes says that it has " + Integer.toUnsignedString(size)
                            + "; look whether this is the right place");
                }
            }
        }
        byte[] response = Arrays.copyOf(in.array(), size);
        Arrays.fill(in.array(), (byte) 0);
        return response;
    }

    /** A device without a resource manager serves one process: it is worth waiting for. */
    private static ByteChannel connect(TpmPlace place, Duration timeout) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            try {
                return place.connect();
            } catch (FileSystemException e) {
                boolean busy = e.getReason() != null && e.getReason().contains("busy");
                if (!busy || System.nanoTime() - deadline > 0) {
                    throw e;
                }
                Thread.sleep(BUSY_PAUSE.toMillis());
            }
        }
    }

    private static void closeLate(Future<ByteChannel> connecting) {
        try {
            connecting.get().close();
        } catch (IOException | ExecutionException | InterruptedException e) {
            // There is nothing to close.
        }
    }

    private static HostTpmException interrupted(TpmPlace place) {
        Thread.currentThread().interrupt();
        return new HostTpmException("the wait for the TPM at " + place + " was interrupted");
    }
}
