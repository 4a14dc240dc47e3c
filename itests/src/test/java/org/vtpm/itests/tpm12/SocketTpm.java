package org.vtpm.itests.tpm12;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/** A TPM behind a socket that carries raw commands. Every command leaves in one write. */
public final class SocketTpm implements TpmChannel {
    private static final int HEADER = 10;
    private static final int LARGEST_RESPONSE = 1 << 16;

    private final SocketChannel socket;
    private final Selector selector;
    private final Duration timeout;

    private SocketTpm(SocketAddress address, Duration timeout) throws IOException {
        this.timeout = timeout;
        this.socket = SocketChannel.open(address);
        try {
            this.selector = Selector.open();
            socket.configureBlocking(false);
            socket.register(selector, SelectionKey.OP_READ);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** Connects to a TCP port on the loopback interface. */
    public static SocketTpm tcp(int port) throws IOException {
        return tcp(port, Duration.ofSeconds(60));
    }

    /** Connects to a TCP port on the loopback interface; every answer has to come within the given time. */
    public static SocketTpm tcp(int port, Duration timeout) throws IOException {
        return new SocketTpm(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), timeout);
    }

    /** Connects to a UNIX socket. */
    public static SocketTpm unix(Path path) throws IOException {
        return to(UnixDomainSocketAddress.of(path));
    }

    /** Connects to a socket of either kind. */
    public static SocketTpm to(SocketAddress address) throws IOException {
        return new SocketTpm(address, Duration.ofSeconds(60));
    }

    @Override
    public byte[] transmit(byte[] command) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(command);
        while (out.hasRemaining()) {
            socket.write(out);
        }
        long deadline = System.nanoTime() + timeout.toNanos();
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        fill(header, deadline);
        int size = header.getInt(2);
        if (size < HEADER || size > LARGEST_RESPONSE) {
            throw new IOException("a response of " + size + " bytes is announced");
        }
        ByteBuffer response = ByteBuffer.allocate(size).put(header.flip());
        fill(response, deadline);
        return response.array();
    }

    private void fill(ByteBuffer buffer, long deadline) throws IOException {
        while (buffer.hasRemaining()) {
            int count = socket.read(buffer);
            if (count < 0) {
                throw new EOFException("the TPM hung up");
            }
            if (count == 0) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    throw new SocketTimeoutException("no whole answer within " + timeout);
                }
                selector.select(left);
                selector.selectedKeys().clear();
            }
        }
    }

    @Override
    public void close() {
        try (selector;
                socket) {
            socket.shutdownOutput();
        } catch (IOException e) {
            // The peer may have closed first; what counts is that our end is closed.
        }
    }
}
