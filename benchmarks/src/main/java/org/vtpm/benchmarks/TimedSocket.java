package org.vtpm.benchmarks;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import org.vtpm.itests.tpm12.TpmChannel;

/**
 * A TPM behind a TCP port of this host, and how long it takes to answer. The socket blocks, so that the client's share of a
 * round trip is two system calls.
 */
final class TimedSocket implements TpmChannel {
    private static final int HEADER = 10;

    private final SocketChannel socket;
    private final ByteBuffer in = ByteBuffer.allocateDirect(1 << 16);
    private long nanos;

    TimedSocket(int port) throws IOException {
        socket = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /** Nanoseconds from the first byte of a command to the last of its response, over all commands since the last call. */
    long lap() {
        long lap = nanos;
        nanos = 0;
        return lap;
    }

    @Override
    public byte[] transmit(byte[] command) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(command);
        in.clear();
        long start = System.nanoTime();
        while (out.hasRemaining()) {
            socket.write(out);
        }
        while (in.position() < HEADER || in.position() < in.getInt(2)) {
            if (socket.read(in) < 0) {
                throw new EOFException("the TPM hung up");
            }
        }
        nanos += System.nanoTime() - start;
        byte[] response = new byte[in.flip().remaining()];
        in.get(response);
        return response;
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException("the benchmark's own socket cannot be closed", e);
        }
    }
}
