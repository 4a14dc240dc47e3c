package org.vtpm.itests.root20;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Somebody on the wire between the root of trust and a TPM: reads everything, and may change it. Afterwards it flushes what its
 * changes left in the TPM, as the kernel's resource manager does when a device is closed.
 */
final class Interposer implements AutoCloseable {
    /** One command and what came back for it. */
    record Exchange(byte[] command, byte[] response) {
        int code() {
            return ByteBuffer.wrap(command).getInt(6);
        }
    }

    /** What is done to the traffic. */
    interface Mischief {
        /** What the TPM gets in place of the command that comes n-th since the start. */
        default byte[] command(int n, byte[] command) {
            return command;
        }

        /** What the other side gets in place of the response. */
        default byte[] response(int n, byte[] command, byte[] response) {
            return response;
        }
    }

    private static final Mischief NONE = new Mischief() {};

    static final int CREATE_PRIMARY = 0x131;
    static final int NV_INCREMENT = 0x134;
    static final int NV_READ = 0x14E;
    static final int LOAD = 0x157;
    static final int FLUSH_CONTEXT = 0x165;
    static final int LOAD_EXTERNAL = 0x167;
    static final int START_AUTH_SESSION = 0x176;
    static final int GET_CAPABILITY = 0x17A;

    private static final Set<Integer> LOADING = Set.of(CREATE_PRIMARY, LOAD, LOAD_EXTERNAL, START_AUTH_SESSION);

    private final ServerSocket server;
    private final int tpmPort;
    private final List<Exchange> seen = Collections.synchronizedList(new ArrayList<>());
    private volatile Mischief mischief = NONE;
    private final AtomicInteger count = new AtomicInteger();
    // Of the serving thread alone.
    private final Set<Integer> held = new HashSet<>();

    private Interposer(ServerSocket server, int tpmPort) {
        this.server = server;
        this.tpmPort = tpmPort;
    }

    static Interposer before(int tpmPort) throws IOException {
        Interposer interposer = new Interposer(new ServerSocket(0, 0, InetAddress.getLoopbackAddress()), tpmPort);
        Thread thread = new Thread(interposer::serve, "interposer");
        thread.setDaemon(true);
        thread.start();
        return interposer;
    }

    String place() {
        return "tcp:127.0.0.1:" + server.getLocalPort();
    }

    /** Forgets what was seen, and goes on with this. */
    void play(Mischief next) {
        seen.clear();
        count.set(0);
        mischief = next;
    }

    /** Only listens from now on. */
    void listen() {
        play(NONE);
    }

    List<Exchange> seen() {
        return List.copyOf(seen);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private void serve() {
        while (!server.isClosed()) {
            try (Socket guest = server.accept();
                    Socket tpm = new Socket(InetAddress.getLoopbackAddress(), tpmPort)) {
                guest.setTcpNoDelay(true);
                tpm.setTcpNoDelay(true);
                try {
                    carry(guest, tpm);
                } finally {
                    flush(tpm);
                }
            } catch (IOException e) {
                // One of the two hung up: the next one, please.
            }
        }
    }

    private void carry(Socket guest, Socket tpm) throws IOException {
        DataInputStream fromGuest = new DataInputStream(guest.getInputStream());
        DataInputStream fromTpm = new DataInputStream(tpm.getInputStream());
        while (true) {
            byte[] command = read(fromGuest);
            int n = count.getAndIncrement();
            byte[] sent = mischief.command(n, command);
            write(tpm.getOutputStream(), sent);
            byte[] honest = read(fromTpm);
            track(sent, honest);
            byte[] response = mischief.response(n, command, honest);
            seen.add(new Exchange(command, response));
            write(guest.getOutputStream(), response);
        }
    }

    private void track(byte[] command, byte[] response) {
        if (ByteBuffer.wrap(response).getInt(6) != 0) {
            return;
        }
        int code = ByteBuffer.wrap(command).getInt(6);
        if (code == FLUSH_CONTEXT) {
            held.remove(ByteBuffer.wrap(command).getInt(10));
        } else if (LOADING.contains(code)) {
            held.add(ByteBuffer.wrap(response).getInt(10));
        }
    }

    private void flush(Socket tpm) throws IOException {
        DataInputStream fromTpm = new DataInputStream(tpm.getInputStream());
        for (int handle : held) {
            write(
                    tpm.getOutputStream(),
                    ByteBuffer.allocate(14)
                            .putShort((short) 0x8001)
                            .putInt(14)
                            .putInt(FLUSH_CONTEXT)
                            .putInt(handle)
                            .array());
            read(fromTpm);
        }
        held.clear();
    }

    private static void write(OutputStream out, byte[] message) throws IOException {
        out.write(message);
        out.flush();
    }

    private static byte[] read(DataInputStream in) throws IOException {
        byte[] header = new byte[10];
        in.readFully(header);
        int size = ByteBuffer.wrap(header).getInt(2);
        if (size < header.length || size > 4096) {
            throw new EOFException("size " + size);
        }
        byte[] message = Arrays.copyOf(header, size);
        in.readFully(message, header.length, size - header.length);
        return message;
    }
}
