package org.vtpm.transport.fifo.wire;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Set;

/**
 * One end of a channel: sends and receives whole messages, however the pipes cut them. Used by one thread at a time; only
 * {@link #close} may come from another, and ends what blocks.
 */
public final class FramePipe implements Closeable {
    /** Per call, since the JDK keeps a buffer of the largest size ever used for each thread. */
    private static final int CHUNK = 8192;

    private final Role role;
    private final ReadableByteChannel in;
    private final WritableByteChannel out;
    private final FrameCodec codec;

    /**
     * Takes over both channels.
     *
     * @param role which end this is
     * @param secret what both ends know
     */
    public FramePipe(Role role, ReadableByteChannel in, WritableByteChannel out, byte[] secret) {
        this.role = role;
        this.in = in;
        this.out = out;
        this.codec = new FrameCodec(secret);
    }

    /**
     * Opens one end: when it is closed, the other end sees that, and the reverse. Somebody must hold both pipes open
     * meanwhile, else this waits for them.
     *
     * @param commands the pipe from manager to engine
     * @param responses the pipe from engine to manager
     */
    public static FramePipe open(Role role, Path commands, Path responses, byte[] secret) throws IOException {
        return open(
                role, commands, responses, secret, Set.of(StandardOpenOption.READ), Set.of(StandardOpenOption.WRITE));
    }

    /**
     * Opens one end so that it waits for nobody, and does not notice the other end leave: by opening both pipes for
     * reading and writing. For {@code vtpmd}, which outlives the transport that made its pipes.
     *
     * @param commands the pipe from manager to engine
     * @param responses the pipe from engine to manager
     */
    public static FramePipe hold(Role role, Path commands, Path responses, byte[] secret) throws IOException {
        Set<StandardOpenOption> both = Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
        return open(role, commands, responses, secret, both, both);
    }

    private static FramePipe open(
            Role role,
            Path commands,
            Path responses,
            byte[] secret,
            Set<StandardOpenOption> toRead,
            Set<StandardOpenOption> toWrite)
            throws IOException {
        boolean manager = role == Role.MANAGER;
        FileChannel in = FileChannel.open(manager ? responses : commands, toRead);
        try {
            return new FramePipe(role, in, FileChannel.open(manager ? commands : responses, toWrite), secret);
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    /**
     * Receives one message.
     *
     * @throws EOFException if the other end is closed
     * @throws FrameException if what came is no message of the other end
     */
    public Frame read() throws IOException {
        byte[] head = new byte[FrameCodec.HEAD];
        fill(head, 0);
        byte[] frame = Arrays.copyOf(head, FrameCodec.length(head));
        try {
            fill(frame, head.length);
            return codec.decode(role.other(), frame);
        } finally {
            Arrays.fill(frame, (byte) 0);
        }
    }

    /** Sends one message. */
    public void write(Frame message) throws IOException {
        byte[] frame = codec.encode(role, message);
        try {
            for (int at = 0; at < frame.length; ) {
                at += out.write(ByteBuffer.wrap(frame, at, Math.min(CHUNK, frame.length - at)));
            }
        } finally {
            Arrays.fill(frame, (byte) 0);
        }
    }

    private void fill(byte[] bytes, int from) throws IOException {
        for (int at = from; at < bytes.length; ) {
            int count = in.read(ByteBuffer.wrap(bytes, at, Math.min(CHUNK, bytes.length - at)));
            if (count < 0) {
                throw new EOFException("the other end of the channel is closed");
            }
            at += count;
        }
    }

    @Override
    public void close() throws IOException {
        try (in) {
            out.close();
        }
    }
}
