package org.vtpm.transport.fifo.wire;

import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;

/** The manager's part of what is said on a channel. Used by one thread at a time, except for {@link #close}. */
public final class ManagerEnd implements Closeable {
    private static final byte[] NOTHING = {};

    private final FramePipe pipe;
    private final StateSink sink;
    private long conversation;

    /** Takes over the pipe; {@code sink} receives the engine's state. */
    public ManagerEnd(FramePipe pipe, StateSink sink) {
        this.pipe = pipe;
        this.sink = sink;
    }

    /**
     * Waits for a new engine to ask for its state (LOADNVM), gives it, and waits until the engine is open.
     *
     * @throws IOException if anything else was said, or the engine cannot be opened with this state
     */
    public void load(Map<StateKind, byte[]> state) throws IOException {
        Frame question = pipe.read();
        ControlPacket load = ControlPacket.of(question, ControlPacket.REQUEST);
        if (question.conversation() != 0 || question.turn() != 0 || load.code() != ControlPacket.LOADNVM) {
            throw new FrameException("something else was said before LOADNVM");
        }
        if (!load.isOurVersion()) {
            String reason = "vtpmd and manager are of different releases; install the vtpmd that came with the manager";
            pipe.write(question.reply(false, ControlPacket.refusal(reason)));
            throw new IOException(reason);
        }
        byte[] parts = StateParts.encode(state);
        Frame answer = question.reply(false, ControlPacket.response(ControlPacket.SUCCESS, parts));
        Arrays.fill(parts, (byte) 0);
        try {
            pipe.write(answer);
        } finally {
            answer.wipe();
        }
        Frame report = pipe.read();
        if (!report.follows(answer)) {
            throw new FrameException("a message out of turn");
        }
        ControlPacket outcome = ControlPacket.of(report, ControlPacket.RESPONSE);
        if (outcome.code() != ControlPacket.SUCCESS) {
            throw new IOException("vtpmd cannot use its state: " + outcome.reason());
        }
    }

    /**
     * Has one command executed. What the engine saves meanwhile goes to the sink, and the engine is told whether that
     * worked, before this returns.
     *
     * @throws IllegalArgumentException if the command cannot be sent: its own header must state its size, of 10 to 4096
     *     bytes
     * @throws IOException if the channel failed
     */
    public byte[] execute(int locality, byte[] command) throws IOException {
        Frame said = open(true, locality, command);
        while (true) {
            Frame heard = answer(said);
            if (heard.guest()) {
                return heard.packet();
            }
            said = heard.reply(false, ControlPacket.response(save(heard), NOTHING));
            pipe.write(said);
        }
    }

    /**
     * Asks for a snapshot of the engine (SNAPSHOT).
     *
     * @return the volatile part of its state; the caller zeroes it
     * @throws IOException if the channel failed, or the engine refuses
     */
    public byte[] snapshot() throws IOException {
        Frame heard = answer(open(false, 0, ControlPacket.request(ControlPacket.SNAPSHOT, NOTHING)));
        ControlPacket given = ControlPacket.of(heard, ControlPacket.RESPONSE);
        heard.wipe();
        if (given.code() != ControlPacket.SUCCESS) {
            throw new IOException("the engine gives no snapshot: " + given.reason());
        }
        Map<StateKind, byte[]> state = StateParts.decode(given.parameters());
        Arrays.fill(given.parameters(), (byte) 0);
        byte[] snapshot = state.get(StateKind.VOLATILE);
        if (snapshot == null || state.size() != 1) {
            StateParts.wipe(state);
            throw new FrameException("something other than a snapshot");
        }
        return snapshot;
    }

    /** Says the first message of a new conversation. */
    private Frame open(boolean guest, int locality, byte[] packet) throws IOException {
        // The clock of the host: a link that is opened later, by whichever transport, goes on with greater numbers.
        conversation = Math.max(conversation + 1, System.nanoTime());
        Frame said = new Frame(guest, locality, conversation, 0, packet);
        pipe.write(said);
        return said;
    }

    /** Waits for what follows in the conversation. */
    private Frame answer(Frame said) throws IOException {
        Frame heard = pipe.read();
        while (heard.conversation() < conversation) {
            heard.wipe(); // answers a link that was closed before this one was opened
            heard = pipe.read();
        }
        if (!heard.follows(said)) {
            throw new FrameException("a message out of turn");
        }
        return heard;
    }

    /** Stores what a SAVENVM message brings; returns the status to answer with. */
    private int save(Frame message) throws FrameException {
        ControlPacket save = ControlPacket.of(message, ControlPacket.REQUEST);
        message.wipe();
        if (save.code() != ControlPacket.SAVENVM) {
            throw new FrameException("an unknown request " + save.code());
        }
        Map<StateKind, byte[]> changes = StateParts.decode(save.parameters());
        Arrays.fill(save.parameters(), (byte) 0);
        try {
            sink.save(changes);
            return ControlPacket.SUCCESS;
        } catch (IOException | RuntimeException e) {
            return ControlPacket.IOERROR;
        } finally {
            StateParts.wipe(changes);
        }
    }

    @Override
    public void close() throws IOException {
        pipe.close();
    }
}
