package org.vtpm.itests.root12;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;

/** Our own engine as a host's TPM 1.2; serves one connection after the other. */
final class EngineChip implements Chip {
    private static final int HEADER = 10;

    private final EngineFactory factory = new Tpm12EngineFactory(JavaBigNumberProvider::new);
    private final Map<StateKind, byte[]> state = new EnumMap<>(StateKind.class);
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private Engine engine;

    private EngineChip() throws IOException, EngineStateException {
        state.put(StateKind.PERMANENT, factory.manufacture(false));
        powerOn();
    }

    static EngineChip start() throws IOException, EngineStateException {
        EngineChip chip = new EngineChip();
        Thread thread = new Thread(chip::serve, "engine chip");
        thread.setDaemon(true);
        thread.start();
        return chip;
    }

    @Override
    public int port() {
        return server.getLocalPort();
    }

    @Override
    public synchronized void restart() throws EngineStateException {
        engine.close();
        powerOn();
    }

    @Override
    public synchronized void close() {
        try {
            server.close();
        } catch (IOException e) {
            // It serves nobody any more in either case.
        }
        engine.close();
    }

    private void powerOn() throws EngineStateException {
        engine = factory.open(state);
        execute(factory.startupCommand(StartupMode.CLEAR));
    }

    private void serve() {
        while (!server.isClosed()) {
            try (Socket peer = server.accept()) {
                peer.setTcpNoDelay(true);
                DataInputStream in = new DataInputStream(peer.getInputStream());
                OutputStream out = peer.getOutputStream();
                byte[] header = new byte[HEADER];
                while (in.readNBytes(header, 0, HEADER) == HEADER) {
                    int size = ByteBuffer.wrap(header).getInt(2);
                    byte[] command = ByteBuffer.allocate(size).put(header).array();
                    in.readFully(command, HEADER, size - HEADER);
                    out.write(execute(command));
                }
            } catch (IOException e) {
                // It hung up: the next one, please.
            }
        }
    }

    private synchronized byte[] execute(byte[] command) {
        return engine.execute(0, command, changes -> changes.forEach((kind, part) -> state.put(kind, part.clone())));
    }
}
