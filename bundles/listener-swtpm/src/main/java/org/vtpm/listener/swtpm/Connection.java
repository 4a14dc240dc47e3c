package org.vtpm.listener.swtpm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.codec.stream.CommandAssembler;

/**
 * One guest's connection. It has at most one command under way: what the guest sends meanwhile stays in the socket, so a
 * guest can neither queue up work nor make the listener buffer answers that it does not read.
 *
 * <p>Input belongs to the loop's thread. Output belongs to whoever has the answer: the thread that completes a command
 * writes it at once, and only what the socket does not take goes to the loop.
 */
final class Connection implements SelectorLoop.Handler, SelectorLoop.Timed {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    /** Tags of the Xen vTPM managers' own commands. */
    private static final int VTPM_TAG_REQ = 0x01C1;

    private static final int VTPM_TAG_REQ2 = 0x01C2;

    /** How long a guest that is being hung up on may take to fetch its last answer. */
    private static final Duration LINGER = Duration.ofSeconds(2);

    private enum Phase {
        /** No command under way. */
        READING,
        /** A command is under way; the guest has sent nothing more. */
        EXECUTING,
        /** A command is under way, and the loop has something to do for this connection afterwards. */
        EXECUTING_MORE
    }

    private final Endpoint endpoint;
    private final SelectorLoop loop;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final Duration commandTimeout;
    private final CommandAssembler assembler = new CommandAssembler(0);
    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.READING);

    /** Held by who sends, so that answers keep their order. */
    private final Object output = new Object();

    /** What the socket did not take; while there is any, nothing more is read. */
    private volatile @Nullable ByteBuffer unsent;

    // All below: loop's thread only.
    private boolean resumeWhenSent;
    private boolean inputEnded;
    private boolean hangUp;
    private boolean lingering;
    private boolean privateTagSeen;
    private boolean watched;
    private long deadline;

    Connection(Endpoint endpoint, SelectorLoop loop, SocketChannel channel, Duration commandTimeout)
            throws IOException {
        this.endpoint = endpoint;
        this.loop = loop;
        this.channel = channel;
        this.commandTimeout = commandTimeout;
        key = loop.register(channel, SelectionKey.OP_READ, this);
    }

    @Override
    public void ready(SelectionKey ready) {
        if (ready.isWritable()) {
            sendRest();
        }
        if (ready.isValid() && ready.isReadable()) {
            readable();
        }
    }

    @Override
    public void tick(long nanoTime) {
        if (nanoTime - deadline < 0) {
            return;
        }
        if (lingering) {
            close();
        } else {
            LOG.debug("A command to {} stopped halfway", endpoint);
            refuseAndHangUp();
        }
    }

    /** Ends the connection at once; on the loop's thread. */
    void close() {
        cancelDeadline();
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("Closing a connection to {}", endpoint, e);
        }
        assembler.clear();
        endpoint.closed(this);
    }

    private void readable() {
        if (lingering) {
            discard();
        } else if (unsent != null
                || phase.compareAndSet(Phase.EXECUTING, Phase.EXECUTING_MORE)
                || phase.get() != Phase.READING) {
            key.interestOpsAnd(~SelectionKey.OP_READ);
        } else {
            read();
        }
    }

    private void read() {
        ByteBuffer buffer = loop.readBuffer().limit(assembler.room());
        try {
            inputEnded = channel.read(buffer) < 0;
        } catch (IOException e) {
            lost(e);
            return;
        }
        assembler.append(buffer.flip());
        proceed();
    }

    /** Starts the next command if it is there. Phase is READING. The caller does nothing more: see {@link SelectorLoop#lend}. */
    private void proceed() {
        CommandAssembler.Result result = assembler.next();
        if (result instanceof CommandAssembler.Command command) {
            cancelDeadline();
            execute(command.bytes());
        } else if (result instanceof CommandAssembler.BadSize bad) {
            endpoint.reportBadSize(bad.size());
            refuseAndHangUp();
        } else if (inputEnded && assembler.isEmpty()) {
            close();
        } else if (inputEnded) {
            refuseAndHangUp();
        } else if (!assembler.isEmpty()) {
            setDeadline(commandTimeout);
        }
    }

    private void execute(byte[] command) {
        if (assembler.isEmpty() && !inputEnded) {
            phase.set(Phase.EXECUTING);
        } else {
            phase.set(Phase.EXECUTING_MORE);
            key.interestOpsAnd(~SelectionKey.OP_READ);
        }
        int tag = Short.toUnsignedInt(ByteBuffer.wrap(command).getShort());
        if (tag == VTPM_TAG_REQ || tag == VTPM_TAG_REQ2) {
            if (!privateTagSeen) {
                privateTagSeen = true;
                endpoint.reportPrivateTag(tag);
            }
            respond(Refusal.BAD_TAG.response(endpoint.family()));
            return;
        }
        if (!loop.lend(() -> endpoint.executeHere(command, this::respond))) {
            endpoint.execute(command, this::respond);
        }
    }

    private void refuseAndHangUp() {
        cancelDeadline();
        hangUp = true;
        phase.set(Phase.EXECUTING_MORE);
        key.interestOpsAnd(~SelectionKey.OP_READ);
        respond(Refusal.BAD_SIZE.response(endpoint.family()));
    }

    /**
     * Sends the answer to the command under way; on the thread that has it. The usual guest waits for its answer before it
     * sends more; then nothing has to pass through the loop. But it may have its answer, and the loop its next command, before
     * the write has returned here.
     */
    private void respond(byte[] response) {
        boolean more;
        boolean rest;
        synchronized (output) {
            more = !phase.compareAndSet(Phase.EXECUTING, Phase.READING);
            ByteBuffer before = unsent;
            ByteBuffer out = before == null ? ByteBuffer.wrap(response) : joined(before, response);
            try {
                channel.write(out);
            } catch (IOException e) {
                loop.execute(() -> lost(e));
                return;
            }
            rest = out.hasRemaining();
            unsent = rest ? out : null;
        }
        if (rest) {
            loop.execute(this::awaitGuest);
        }
        if (more) {
            loop.execute(this::resume);
        }
    }

    private static ByteBuffer joined(ByteBuffer unsent, byte[] response) {
        return ByteBuffer.allocate(unsent.remaining() + response.length)
                .put(unsent)
                .put(response)
                .flip();
    }

    private void awaitGuest() {
        if (key.isValid() && unsent != null) {
            key.interestOps(SelectionKey.OP_WRITE);
        }
    }

    private void sendRest() {
        synchronized (output) {
            ByteBuffer out = unsent;
            if (out != null) {
                try {
                    channel.write(out);
                } catch (IOException e) {
                    lost(e);
                    return;
                }
                if (out.hasRemaining()) {
                    return;
                }
                unsent = null;
            }
        }
        key.interestOpsAnd(~SelectionKey.OP_WRITE);
        if (resumeWhenSent) {
            resumeWhenSent = false;
            resume();
        } else if (!inputEnded) {
            key.interestOpsOr(SelectionKey.OP_READ);
        }
    }

    private void resume() {
        if (!key.isValid()) {
            return;
        }
        if (unsent != null) {
            resumeWhenSent = true;
            return;
        }
        if (hangUp) {
            linger();
            return;
        }
        phase.set(Phase.READING);
        if (!inputEnded) {
            key.interestOpsOr(SelectionKey.OP_READ);
        }
        proceed();
    }

    /** Closing with unread input would make the kernel take back the answer that explains why. */
    private void linger() {
        lingering = true;
        assembler.clear();
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            lost(e);
            return;
        }
        setDeadline(LINGER);
        key.interestOpsOr(SelectionKey.OP_READ);
    }

    private void discard() {
        try {
            if (channel.read(loop.readBuffer()) < 0) {
                close();
            }
        } catch (IOException e) {
            lost(e);
        }
    }

    private void lost(IOException e) {
        LOG.debug("A guest of {} is gone: {}", endpoint, e.getMessage());
        close();
    }

    private void setDeadline(Duration timeout) {
        deadline = System.nanoTime() + timeout.toNanos();
        if (!watched) {
            watched = true;
            loop.watch(this);
        }
    }

    private void cancelDeadline() {
        if (watched) {
            watched = false;
            loop.unwatch(this);
        }
    }
}
