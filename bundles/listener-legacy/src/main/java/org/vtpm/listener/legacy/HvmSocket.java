package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.GuestChannel;
import org.vtpm.codec.stream.CommandAssembler;

/**
 * The socket of one HVM guest: its QEMU connects, one at a time, and sends one command after the other. Used on the loop's
 * thread, except that responses come on any.
 */
final class HvmSocket {
    private static final Logger LOG = LoggerFactory.getLogger(HvmSocket.class);

    private final long number;
    private final GuestChannel channel;
    private final ServerSocketChannel server;
    private final SocketLoop loop;
    private final Duration commandTimeout;
    private final AtomicLong troubles = new AtomicLong();
    private @Nullable Connection connection;

    /**
     * @param server bound, and does not block; closed with this
     * @param commandTimeout how long QEMU may take to go on with a command or an answer, counted from the last byte
     */
    HvmSocket(long number, GuestChannel channel, ServerSocketChannel server, SocketLoop loop, Duration commandTimeout) {
        this.number = number;
        this.channel = channel;
        this.server = server;
        this.loop = loop;
        this.commandTimeout = commandTimeout;
    }

    void start() throws IOException {
        loop.register(server, SelectionKey.OP_ACCEPT, this::accept);
    }

    void close() throws IOException {
        server.close();
        if (connection != null) {
            connection.close();
        }
    }

    private void accept() throws IOException {
        SocketChannel guest = server.accept();
        if (guest == null) {
            return;
        }
        if (connection != null) {
            report("a second QEMU connects while the first one is there: hung up on it");
            guest.close();
            return;
        }
        guest.configureBlocking(false);
        connection = new Connection(guest);
    }

    /** Logged at powers of two: often enough to be seen, seldom enough not to fill the log. */
    private void report(String what) {
        long count = troubles.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.warn("HVM guest {} (instance {}): {} ({} troubles so far)", number, channel.name(), what, count);
        }
    }

    private void handle(byte[] frame, Consumer<byte[]> answer) {
        HvmPrefix prefix = HvmPrefix.of(frame);
        ByteBuffer header = ByteBuffer.wrap(frame);
        long raw = Integer.toUnsignedLong(header.getInt());
        int tag = Short.toUnsignedInt(header.getShort());
        if (prefix.instance() != number) {
            report("a command is for instance " + prefix.instance() + ", which has another socket");
            answer.accept(TpmError.FAIL.frame(raw));
        } else if (prefix.locality() > HvmPrefix.MAX_LOCALITY) {
            report("a command comes from locality " + prefix.locality());
            answer.accept(TpmError.BAD_LOCALITY.frame(raw));
        } else if (tag == ConsoleOrder.VTPM_TAG_REQ || tag == ConsoleOrder.VTPM_TAG_REQ2) {
            report("a command has a tag for the manager's own commands");
            answer.accept(TpmError.BADTAG.frame(raw));
        } else {
            Exchange.run(channel, prefix.locality(), frame, this::reportFault, answer);
        }
    }

    private void reportFault(@Nullable Throwable fault) {
        report("its TPM gave no answer that can be sent" + (fault == null ? "" : ": " + fault));
    }

    /** One QEMU. While a command is under way nothing is read, so that it cannot queue up work. */
    private final class Connection implements SocketLoop.Handler, SocketLoop.Timed {
        private final SocketChannel qemu;
        private final SelectionKey key;
        private final CommandAssembler assembler = new CommandAssembler(Frame.PREFIX);
        private @Nullable ByteBuffer unsent;
        private boolean hangUp;
        private long deadline;

        private Connection(SocketChannel qemu) throws IOException {
            this.qemu = qemu;
            key = loop.register(qemu, SelectionKey.OP_READ, this);
        }

        @Override
        public void ready() {
            try {
                if (unsent != null) {
                    flush(unsent);
                } else if (key.isReadable()) {
                    read();
                }
            } catch (IOException e) {
                LOG.debug("The QEMU of guest {} is gone", number, e);
                close();
            }
        }

        @Override
        public void tick(long nanoTime) {
            if (nanoTime - deadline < 0) {
                return;
            }
            if (unsent != null) {
                report("its QEMU does not take an answer: hung up on it");
                close();
                return;
            }
            report("a command stopped halfway: hung up on its QEMU");
            try {
                refuse();
            } catch (IOException e) {
                LOG.debug("The QEMU of guest {} is gone", number, e);
                close();
            }
        }

        private void expectMore() {
            deadline = System.nanoTime() + commandTimeout.toNanos();
            loop.watch(this);
        }

        private void read() throws IOException {
            ByteBuffer in = loop.buffer().limit(assembler.room());
            if (qemu.read(in) < 0) {
                close();
                return;
            }
            assembler.append(in.flip());
            proceed();
        }

        private void proceed() throws IOException {
            loop.unwatch(this);
            CommandAssembler.Result result = assembler.next();
            if (result instanceof CommandAssembler.Command command) {
                key.interestOps(0);
                handle(command.bytes(), frame -> loop.execute(() -> send(frame)));
            } else if (result instanceof CommandAssembler.BadSize bad) {
                report("a command gives a size of " + bad.size() + " bytes: hung up on its QEMU");
                refuse();
            } else {
                key.interestOps(SelectionKey.OP_READ);
                if (!assembler.isEmpty()) {
                    expectMore();
                }
            }
        }

        /** Hangs up, because where the next command begins cannot be known. */
        private void refuse() throws IOException {
            OptionalLong raw = Frame.instance(assembler.prefix());
            if (raw.isEmpty()) {
                close();
                return;
            }
            hangUp = true;
            flush(ByteBuffer.wrap(TpmError.BAD_PARAM_SIZE.frame(raw.getAsLong())));
        }

        private void send(byte[] frame) {
            if (!qemu.isOpen()) {
                return;
            }
            try {
                flush(ByteBuffer.wrap(frame));
            } catch (IOException e) {
                LOG.debug("The QEMU of guest {} is gone", number, e);
                close();
            }
        }

        private void flush(ByteBuffer out) throws IOException {
            qemu.write(out);
            if (out.hasRemaining()) {
                unsent = out;
                key.interestOps(SelectionKey.OP_WRITE);
                expectMore();
            } else if (hangUp) {
                close();
            } else {
                unsent = null;
                proceed();
            }
        }

        private void close() {
            connection = null;
            loop.unwatch(this);
            try {
                qemu.close();
            } catch (IOException e) {
                LOG.debug("Closing the socket of guest {}", number, e);
            }
        }
    }
}
