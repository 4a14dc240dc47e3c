package org.vtpm.itests.process;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** swtpm's control channel: a command number and its data, answered by a TPM 1.2 return code (both 4 bytes, big-endian). */
public final class SwtpmControl implements AutoCloseable {
    private static final int INIT = 2;
    private static final int SET_LOCALITY = 5;
    private static final int HASH_START = 6;
    private static final int HASH_DATA = 7;
    private static final int HASH_END = 8;
    private static final int GET_STATEBLOB = 12;

    private static final int PERMANENT = 1;

    private final SocketChannel socket;

    SwtpmControl(Path socket) throws IOException {
        this.socket = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    }

    /** Cuts the power and switches it on again. */
    public void init() throws IOException {
        done(send(INIT, ByteBuffer.allocate(Integer.BYTES)));
    }

    /** The locality that the following commands come from. */
    public void setLocality(int locality) throws IOException {
        done(send(SET_LOCALITY, ByteBuffer.allocate(1).put((byte) locality).flip()));
    }

    /** Begins a dynamic launch; the result is the TPM's return code. */
    public int hashStart() throws IOException {
        return send(HASH_START, ByteBuffer.allocate(0));
    }

    /** Measures a piece of what is launched; the result is the TPM's return code. */
    public int hashData(byte[] data) throws IOException {
        return send(
                HASH_DATA,
                ByteBuffer.allocate(Integer.BYTES + data.length)
                        .putInt(data.length)
                        .put(data)
                        .flip());
    }

    /** Ends a dynamic launch; the result is the TPM's return code. */
    public int hashEnd() throws IOException {
        return send(HASH_END, ByteBuffer.allocate(0));
    }

    /** The permanent state, encrypted as it is kept, and once more if swtpm has a key for migration. */
    public byte[] permanentState() throws IOException {
        ByteBuffer flagsTypeOffset = ByteBuffer.allocate(3 * Integer.BYTES)
                .putInt(0)
                .putInt(PERMANENT)
                .putInt(0);
        done(send(GET_STATEBLOB, flagsTypeOffset.flip()));
        receive(2 * Integer.BYTES);
        return receive(receive(Integer.BYTES).getInt()).array();
    }

    private static void done(int code) throws IOException {
        if (code != 0) {
            throw new IOException("swtpm's control channel answers 0x" + Integer.toHexString(code));
        }
    }

    private int send(int command, ByteBuffer data) throws IOException {
        // In one write: swtpm takes what one read brings as the whole command.
        ByteBuffer out = ByteBuffer.allocate(Integer.BYTES + data.remaining())
                .putInt(command)
                .put(data)
                .flip();
        while (out.hasRemaining()) {
            socket.write(out);
        }
        return receive(Integer.BYTES).getInt();
    }

    private ByteBuffer receive(int length) throws IOException {
        ByteBuffer received = ByteBuffer.allocate(length);
        while (received.hasRemaining()) {
            if (socket.read(received) < 0) {
                throw new EOFException("swtpm closed its control channel");
            }
        }
        return received.flip();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
