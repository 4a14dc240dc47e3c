package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The console: takes the hotplug scripts' orders one after the other, apart from the guests' commands, and with them commands
 * for the host's TPM.
 */
final class Console implements FrameHandler, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Console.class);

    private static final long IDLE_SECONDS = 5;
    private static final long CLOSE_SECONDS = 10;

    private final Hotplug hotplug;
    private final TpmPassthrough hostTpm;
    private final ThreadPoolExecutor worker;

    /** Of the worker's thread. */
    private long refused;

    Console(Hotplug hotplug, TpmPassthrough hostTpm) {
        this.hotplug = hotplug;
        this.hostTpm = hostTpm;
        worker = new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(task, "vtpm-legacy-console");
            thread.setDaemon(true);
            return thread;
        });
        worker.allowCoreThreadTimeOut(true);
    }

    @Override
    public void handle(byte[] frame, Consumer<byte[]> answer) {
        long sender = Integer.toUnsignedLong(ByteBuffer.wrap(frame).getInt());
        try {
            worker.execute(() -> answer.accept(carryOut(sender, frame)));
        } catch (RejectedExecutionException e) {
            answer.accept(ConsoleOrder.reply(sender, TpmError.FAIL));
        }
    }

    @Override
    public byte[] refuse(long instance) {
        return ConsoleOrder.reply(instance, TpmError.BAD_PARAMETER);
    }

    /** Lets the order under way end; later ones fail. */
    @Override
    public void close() {
        worker.shutdown();
        try {
            if (!worker.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                worker.shutdownNow();
            }
        } catch (InterruptedException e) {
            worker.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private byte[] carryOut(long sender, byte[] frame) {
        try {
            ConsoleOrder order = ConsoleOrder.parse(frame);
            if (order instanceof ConsoleOrder.TpmCommand command) {
                TpmPassthrough.Answer answer = hostTpm.execute(command.command());
                return ConsoleOrder.reply(sender, answer.status(), answer.response());
            }
            if (order instanceof ConsoleOrder.Migration migration) {
                return ConsoleOrder.reply(sender, hotplug.refuse(migration));
            }
            return ConsoleOrder.reply(sender, hotplug.carryOut((ConsoleOrder.OfInstance) order));
        } catch (ConsoleOrder.BadOrderException e) {
            // Powers of two: often enough to be seen, seldom enough not to fill the log.
            if (Long.bitCount(++refused) == 1) {
                LOG.warn("Hotplug: refused an order: {} ({} so far)", e.getMessage(), refused);
            }
            return ConsoleOrder.reply(sender, e.error());
        } catch (RuntimeException e) {
            LOG.error("Hotplug: an order failed", e);
            return ConsoleOrder.reply(sender, TpmError.FAIL);
        }
    }
}
