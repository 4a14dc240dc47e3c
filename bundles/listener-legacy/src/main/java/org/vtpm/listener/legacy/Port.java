package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.codec.stream.CommandAssembler;

/**
 * One pair of FIFOs: frames come in on one, answers leave on the other. Everything but the sending of answers happens on
 * the server's thread.
 *
 * <p>The peer is the host's backend or its scripts, which write a frame in one piece. If one makes no sense, or stops
 * halfway, then all that is in the FIFO is thrown away: whatever comes after that begins a new frame.
 */
final class Port {
    private static final Logger LOG = LoggerFactory.getLogger(Port.class);

    /**
     * How a port behaves.
     *
     * @param input name of the FIFO that frames come in on
     * @param output name of the FIFO that answers leave on
     * @param parallel how many frames may be unanswered while more are read
     * @param patience how long an unread answer is kept
     */
    record Plan(String input, String output, int parallel, Duration patience) {}

    private final Posix posix;
    private final Plan plan;
    private final int input;
    private final OutPipe output;
    private final FrameHandler handler;
    private final Duration frameTimeout;
    private final Runnable wake;
    private final CommandAssembler assembler = new CommandAssembler(Frame.PREFIX);
    private final AtomicInteger unanswered = new AtomicInteger();
    private long deadline;
    private long malformed;

    /**
     * @param frameTimeout how long the rest of a frame may take, counted from its last byte
     * @param wake wakes the server's thread; from any thread
     */
    Port(Posix posix, PrivateFolder folder, Plan plan, FrameHandler handler, Duration frameTimeout, Runnable wake)
            throws IOException {
        this.posix = posix;
        this.plan = plan;
        this.handler = handler;
        this.frameTimeout = frameTimeout;
        this.wake = wake;
        input = folder.openFifo(plan.input());
        try {
            output = new OutPipe(posix, plan.output(), folder.openFifo(plan.output()), wake);
        } catch (IOException e) {
            posix.close(input);
            throw e;
        }
    }

    int input() {
        return input;
    }

    OutPipe output() {
        return output;
    }

    /** Whether another frame may be read now. */
    boolean wantsReadable() {
        return unanswered.get() < plan.parallel();
    }

    /** Milliseconds until {@link #expire} may have something to do, or -1. */
    int patience() {
        if (!midFrame()) {
            return -1;
        }
        long left = deadline - System.nanoTime();
        return left <= 0 ? 0 : (int) Duration.ofNanos(left).toMillis() + 1;
    }

    /** Reads what is there; answers whether there was anything. {@code buffer} is direct. */
    boolean readable(ByteBuffer buffer) throws IOException {
        buffer.clear().limit(Math.min(buffer.capacity(), assembler.room()));
        if (!posix.read(input, buffer)) {
            return false;
        }
        deadline = System.nanoTime() + frameTimeout.toNanos();
        output.withdraw(plan.patience());
        assembler.append(buffer.flip());
        proceed(buffer);
        return true;
    }

    /** Handles the frames that are here and may be handled now. */
    void proceed(ByteBuffer buffer) throws IOException {
        while (wantsReadable()) {
            CommandAssembler.Result result = assembler.next();
            if (result instanceof CommandAssembler.Command frame) {
                unanswered.incrementAndGet();
                handler.handle(frame.bytes(), this::answer);
            } else if (result instanceof CommandAssembler.BadSize bad) {
                restart("gives a size of " + bad.size() + " bytes", buffer);
            } else {
                return;
            }
        }
    }

    /** Gives up on a frame that has stopped halfway. */
    void expire(ByteBuffer buffer) throws IOException {
        if (midFrame() && System.nanoTime() - deadline >= 0 && !readable(buffer)) {
            restart("stopped halfway", buffer);
        }
    }

    void close() {
        output.close();
        posix.close(input);
    }

    private boolean midFrame() {
        return !assembler.isEmpty() && wantsReadable();
    }

    private void answer(byte[] frame) {
        output.send(frame);
        if (unanswered.getAndDecrement() == plan.parallel()) {
            wake.run();
        }
    }

    private void restart(String why, ByteBuffer buffer) throws IOException {
        malformed++;
        // Powers of two: often enough to be seen, seldom enough not to fill the log.
        if (Long.bitCount(malformed) == 1) {
            LOG.warn("A frame in {} {}: threw away what was there ({} times so far)", plan.input(), why, malformed);
        }
        OptionalLong instance = Frame.instance(assembler.prefix());
        assembler.clear();
        do {
            buffer.clear();
        } while (posix.read(input, buffer));
        // Only now, because a peer that has its answer may write its next frame.
        instance.ifPresent(number -> output.send(handler.refuse(number)));
    }
}
