package org.vtpm.engine.tpm12;

import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;

/**
 * One TPM on a TCP port of this machine, for comparison with other implementations. The next port takes lines: {@code
 * FRESH} puts a factory-new, started TPM there, {@code CYCLE} cuts the power and leaves it waiting for its Startup; each
 * is answered by {@code OK}.
 */
public final class TpmServer {
    private static final int HEADER = 10;
    private static final int MAX_COMMAND = 1 << 20;

    private final Tpm12EngineFactory factory = new Tpm12EngineFactory(JavaBigNumberProvider::new);
    private final Map<StateKind, byte[]> stored = new EnumMap<>(StateKind.class);
    private Engine engine;

    private TpmServer() throws EngineStateException {
        stored.put(StateKind.PERMANENT, factory.manufacture(false));
        engine = factory.open(stored);
    }

    public static void main(String[] arguments) throws IOException, EngineStateException {
        int port = Integer.parseInt(arguments[0]);
        TpmServer server = new TpmServer();
        server.control("FRESH");
        InetAddress here = InetAddress.getLoopbackAddress();
        try (ServerSocket data = new ServerSocket(port, 50, here);
                ServerSocket control = new ServerSocket(port + 1, 50, here)) {
            new Thread(() -> accept(control, server::lines), "control").start();
            accept(data, server::commands);
        }
    }

    private interface Talk {
        void with(Socket peer) throws IOException, EngineStateException;
    }

    private static void accept(ServerSocket listener, Talk talk) {
        while (true) {
            try {
                Socket peer = listener.accept();
                new Thread(
                                () -> {
                                    try (peer) {
                                        peer.setTcpNoDelay(true);
                                        talk.with(peer);
                                    } catch (IOException | EngineStateException e) {
                                        System.err.println("a connection ended: " + e);
                                    }
                                },
                                "peer")
                        .start();
            } catch (IOException e) {
                System.err.println("no more connections: " + e);
                return;
            }
        }
    }

    private void lines(Socket peer) throws IOException, EngineStateException {
        BufferedReader in = new BufferedReader(new InputStreamReader(peer.getInputStream(), StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            control(line);
            peer.getOutputStream().write("OK\n".getBytes(StandardCharsets.US_ASCII));
        }
    }

    private synchronized void control(String line) throws EngineStateException {
        engine.close();
        if (line.equals("FRESH")) {
            stored.clear();
            stored.put(StateKind.PERMANENT, factory.manufacture(false));
        }
        engine = factory.open(stored);
        if (line.equals("FRESH")) {
            execute(factory.startupCommand(StartupMode.CLEAR));
        }
    }

    private void commands(Socket peer) throws IOException {
        DataInputStream in = new DataInputStream(peer.getInputStream());
        OutputStream out = peer.getOutputStream();
        byte[] header = new byte[HEADER];
        while (in.readNBytes(header, 0, HEADER) == HEADER) {
            int size = ByteBuffer.wrap(header).getInt(2);
            if (size < HEADER || size > MAX_COMMAND) {
                return;
            }
            byte[] command = ByteBuffer.allocate(size).put(header).array();
            in.readFully(command, HEADER, size - HEADER);
            out.write(execute(command));
        }
    }

    private synchronized byte[] execute(byte[] command) {
        return engine.execute(0, command, changes -> changes.forEach((kind, part) -> stored.put(kind, part.clone())));
    }
}
