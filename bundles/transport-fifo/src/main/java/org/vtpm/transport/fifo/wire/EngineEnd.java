package org.vtpm.transport.fifo.wire;

import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;

/** The engine's part of what is said on a channel. Used by one thread at a time, except for {@link #close}. */
public final class EngineEnd implements Closeable {
    private final FramePipe pipe;
    private long last;

    /** The first message of a new link, which came while the last command of the old one was saving. */
    private @Nullable Frame waiting;

    /** Why the channel cannot be used any more. */
    private @Nullable IOException broken;

    /** Takes over the pipe. */
    public EngineEnd(FramePipe pipe) {
        this.pipe = pipe;
    }

    /** Opens an engine with the state that the manager gave. */
    @FunctionalInterface
    public interface Opener {
        Engine open(Map<StateKind, byte[]> state) throws EngineStateException;
    }

    /**
     * Asks for the state (LOADNVM), opens the engine and tells the manager whether that worked.
     *
     * @throws EngineStateException if the engine cannot be opened; the manager has been told
     * @throws IOException if the manager refuses, or the channel failed
     */
    public Engine load(Opener opener) throws IOException, EngineStateException {
        Frame question = new Frame(false, 0, 0, 0, ControlPacket.loadnvm());
        pipe.write(question);
        Frame answer = pipe.read();
        if (!answer.follows(question)) {
            throw new FrameException("a message out of turn");
        }
        ControlPacket given = ControlPacket.of(answer, ControlPacket.RESPONSE);
        answer.wipe();
        if (given.code() != ControlPacket.SUCCESS) {
            throw new IOException("the manager gives no state: " + given.reason());
        }
        Map<StateKind, byte[]> state = StateParts.decode(given.parameters());
        Arrays.fill(given.parameters(), (byte) 0);
        try {
            Engine engine = opener.open(state);
            pipe.write(answer.reply(false, ControlPacket.response(ControlPacket.SUCCESS, new byte[0])));
            return engine;
        } catch (EngineStateException e) {
            pipe.write(answer.reply(false, ControlPacket.refusal(String.valueOf(e.getMessage()))));
            throw e;
        } finally {
            StateParts.wipe(state);
        }
    }

    /**
     * Waits for one command, has the engine execute it and sends the response; or for one request for a snapshot, and
     * sends that.
     *
     * @throws IOException if the channel failed or was closed
     */
    public void serve(Engine engine) throws IOException {
        Frame message = waiting == null ? pipe.read() : waiting;
        waiting = null;
        if (!opens(message)) {
            throw new FrameException("a message out of turn");
        }
        last = message.conversation();
        if (message.guest()) {
            execute(engine, message);
        } else {
            snapshot(engine, message);
        }
    }

    private void execute(Engine engine, Frame command) throws IOException {
        Conversation conversation = new Conversation(command);
        byte[] response = engine.execute(command.locality(), command.packet(), conversation);
        if (broken != null) {
            throw broken;
        }
        if (waiting == null) {
            pipe.write(conversation.heard.reply(true, response));
        }
    }

    private void snapshot(Engine engine, Frame request) throws IOException {
        int code = ControlPacket.of(request, ControlPacket.REQUEST).code();
        if (code != ControlPacket.SNAPSHOT) {
            throw new FrameException("an unknown request " + code);
        }
        byte[] snapshot = engine.snapshot();
        Frame answer;
        try {
            byte[] parts = StateParts.encode(Map.of(StateKind.VOLATILE, snapshot));
            answer = request.reply(false, ControlPacket.response(ControlPacket.SUCCESS, parts));
            Arrays.fill(parts, (byte) 0);
        } catch (IOException e) {
            answer = request.reply(false, ControlPacket.refusal(String.valueOf(e.getMessage())));
        } finally {
            Arrays.fill(snapshot, (byte) 0);
        }
        try {
            pipe.write(answer);
        } finally {
            answer.wipe();
        }
    }

    private boolean opens(Frame message) {
        return message.turn() == 0 && message.conversation() > last;
    }

    @Override
    public void close() throws IOException {
        pipe.close();
    }

    /** Carries the state that the engine saves during one command. */
    private final class Conversation implements StateSink {
        private Frame heard;

        Conversation(Frame command) {
            heard = command;
        }

        @Override
        public void save(Map<StateKind, byte[]> changes) throws IOException {
            if (waiting != null || broken != null) {
                throw new IOException("the manager has left this conversation");
            }
            byte[] parts = StateParts.encode(changes);
            Frame request = heard.reply(false, ControlPacket.request(ControlPacket.SAVENVM, parts));
            Arrays.fill(parts, (byte) 0);
            int status;
            try {
                status = exchange(request);
            } catch (IOException e) {
                broken = e;
                throw e;
            } finally {
                request.wipe();
            }
            if (waiting != null) {
                throw new IOException("the manager has left this conversation");
            }
            if (status != ControlPacket.SUCCESS) {
                throw new IOException("the manager could not store the state (code " + status + ")");
            }
        }

        private int exchange(Frame request) throws IOException {
            pipe.write(request);
            Frame answer = pipe.read();
            if (opens(answer)) {
                waiting = answer;
                return ControlPacket.FAIL;
            }
            if (!answer.follows(request)) {
                throw new FrameException("a message out of turn");
            }
            heard = answer;
            return ControlPacket.of(answer, ControlPacket.RESPONSE).code();
        }
    }
}
