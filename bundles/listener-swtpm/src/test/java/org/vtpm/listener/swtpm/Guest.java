package org.vtpm.listener.swtpm;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/** A guest's driver, with a plain blocking socket. */
final class Guest implements AutoCloseable {
    private final SocketChannel socket;

    Guest(URI endpoint) throws IOException {
        Address address = Address.parse(endpoint);
        if (address instanceof Address.Unix unix) {
            socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            socket.connect(UnixDomainSocketAddress.of(unix.path()));
        } else {
            SocketAddress tcp = ((Address.Tcp) address).socket();
            socket = SocketChannel.open(tcp);
        }
    }

    /** A loopback endpoint that nobody uses at this moment. */
    static URI freeTcp() throws IOException {
        try (ServerSocket probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0));
            return URI.create("tcp:127.0.0.1:" + probe.getLocalPort());
        }
    }

    void send(byte[]... pieces) throws IOException {
        for (byte[] piece : pieces) {
            ByteBuffer out = ByteBuffer.wrap(piece);
            while (out.hasRemaining()) {
                socket.write(out);
            }
        }
    }

    /** Reads one response. */
    byte[] receive() throws IOException {
        byte[] header = read(10);
        int size = ByteBuffer.wrap(header).getInt(2);
        byte[] response = Arrays.copyOf(header, size);
        System.arraycopy(read(size - 10), 0, response, 10, size - 10);
        return response;
    }

    byte[] ask(byte[] command) throws IOException {
        send(command);
        return receive();
    }

    void endInput() throws IOException {
        socket.shutdownOutput();
    }

    /** Waits until the listener has nothing more to say; answers what it said until then. */
    byte[] rest() throws IOException {
        ByteBuffer in = ByteBuffer.allocate(1 << 16);
        try {
            while (socket.read(in) >= 0) {
                if (!in.hasRemaining()) {
                    throw new IOException("too much");
                }
            }
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("reset")) {
                throw e;
            }
        }
        return Arrays.copyOf(in.array(), in.position());
    }

    SocketChannel socket() {
        return socket;
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private byte[] read(int count) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(count);
        while (in.hasRemaining()) {
            if (socket.read(in) < 0) {
                throw new EOFException("hung up after " + in.position() + " bytes");
            }
        }
        return in.array();
    }
}
