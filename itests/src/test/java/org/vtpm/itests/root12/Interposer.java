package org.vtpm.itests.root12;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Structures;

/**
 * Somebody on the wire between the root of trust and a TPM 1.2: reads everything, and may change responses. Afterwards it
 * flushes what its changes left in the TPM, so that the next try finds room there.
 */
final class Interposer implements AutoCloseable {
    /** One command and what came back for it. */
    record Exchange(byte[] command, byte[] response) {
        int ordinal() {
            return ByteBuffer.wrap(command).getInt(6);
        }
    }

    /** What the root of trust gets in place of a response. */
    interface Mischief {
        /**
         * Changes a response, or lets it pass.
         *
         * @param n number of the command since the start
         */
        byte[] response(int n, byte[] command, byte[] response);
    }

    private static final Mischief NONE = (n, command, response) -> response;

    private final ServerSocket server;
    private final int tpmPort;
    private final List<Exchange> seen = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger count = new AtomicInteger();
    private volatile Mischief mischief = NONE;
    // Handle to resource type; of the serving thread alone.
    private final Map<Integer, Integer> held = new HashMap<>();

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
            write(tpm.getOutputStream(), command);
            byte[] honest = read(fromTpm);
            track(command, honest);
            byte[] response = mischief.response(n, command, honest);
            seen.add(new Exchange(command, response));
            write(guest.getOutputStream(), response);
        }
    }

    private void track(byte[] command, byte[] response) {
        int ordinal = ByteBuffer.wrap(command).getInt(6);
        if (ByteBuffer.wrap(response).getInt(6) != 0) {
            return;
        }
        if (ordinal == Ordinal.OIAP.code() || ordinal == Ordinal.OSAP.code()) {
            held.put(ByteBuffer.wrap(response).getInt(10), Structures.RT_AUTH);
        } else if (ordinal == Ordinal.ESTABLISH_TRANSPORT.code()) {
            held.put(ByteBuffer.wrap(response).getInt(10), Structures.RT_TRANS);
        }
    }

    /** What is gone already the TPM answers with an error, which nobody has to know. */
    private void flush(Socket tpm) throws IOException {
        DataInputStream fromTpm = new DataInputStream(tpm.getInputStream());
        for (Map.Entry<Integer, Integer> each : held.entrySet()) {
            write(tpm.getOutputStream(), Chip.flush(each.getKey(), each.getValue()));
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
