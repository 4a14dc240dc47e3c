package org.vtpm.itests.tpm12.coverage;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Stands between a real client and a TPM on a port of this machine, and counts what passes. */
public final class CountingProxy implements AutoCloseable {
    private static final int HEADER = 10;
    private static final int SIZE = 2;
    private static final int LARGEST = 1 << 16;

    private final ServerSocket server;
    private final int target;
    private final Exercised exercised;

    private CountingProxy(ServerSocket server, int target, Exercised exercised) {
        this.server = server;
        this.target = target;
        this.exercised = exercised;
    }

    /** Accepts clients on a free port until it is closed. */
    public static CountingProxy before(int target, Exercised exercised) throws IOException {
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        CountingProxy proxy = new CountingProxy(server, target, exercised);
        daemon(proxy::accept);
        return proxy;
    }

    public int port() {
        return server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                daemon(() -> serve(client));
            } catch (IOException e) {
                // Closed: the loop ends. Anything else shows as a client that gets no answer.
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket tpm = new Socket(InetAddress.getLoopbackAddress(), target)) {
            client.setTcpNoDelay(true);
            tpm.setTcpNoDelay(true);
            DataInputStream requests = new DataInputStream(client.getInputStream());
            DataInputStream responses = new DataInputStream(tpm.getInputStream());
            OutputStream toTpm = tpm.getOutputStream();
            while (true) {
                byte[] command = message(requests);
                toTpm.write(command);
                byte[] response = message(responses);
                exercised.count(command, response);
                client.getOutputStream().write(response);
            }
        } catch (EOFException | SocketException e) {
            // One of them hung up, as clients do.
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] message(DataInputStream in) throws IOException {
        byte[] header = new byte[HEADER];
        in.readFully(header);
        int size = ByteBuffer.wrap(header).getInt(SIZE);
        if (size < HEADER || size > LARGEST) {
            throw new IOException("a message of " + size + " bytes is announced");
        }
        byte[] message = Arrays.copyOf(header, size);
        in.readFully(message, HEADER, size - HEADER);
        return message;
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "counting-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
