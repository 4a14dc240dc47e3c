package org.vtpm.itests.sidebyside;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vtpm.itests.process.Swtpm;
import org.vtpm.itests.process.SwtpmControl;
import org.vtpm.itests.tpm12.SocketTpm;

/** Debian's swtpm. One process serves until it dies; its control channel cuts the power, and it reads its state again. */
final class SwtpmTarget implements Target {
    private final Path folder;
    private @Nullable Connection connection;
    private boolean powered;

    /** A running process and both ways to it. */
    private record Connection(Swtpm process, SocketTpm channel, SwtpmControl control) {
        void close() {
            control.close();
            channel.close();
            process.close();
        }
    }

    SwtpmTarget(Path folder) {
        this.folder = folder;
    }

    @Override
    public void powerOn(Map<String, byte[]> state) throws IOException {
        Files.createDirectories(folder);
        for (Path file : stateFiles()) {
            Files.delete(file);
        }
        for (Map.Entry<String, byte[]> part : state.entrySet()) {
            Files.write(folder.resolve(part.getKey()), part.getValue());
        }
        if (!powerCycled()) {
            close();
            connection = start();
        }
        powered = true;
    }

    /** Whether the process read the state again; it may have died of the last command. */
    private boolean powerCycled() {
        if (connection == null) {
            return false;
        }
        try {
            connection.control().init();
            connection.control().setLocality(0);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private Connection start() throws IOException {
        try {
            Swtpm process = Swtpm.start(folder);
            return new Connection(process, process.connect(), process.control());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while swtpm started").initCause(e);
        }
    }

    @Override
    public Map<String, byte[]> powerOff() throws IOException {
        powered = false;
        Map<String, byte[]> state = new HashMap<>();
        if (Files.isDirectory(folder)) {
            for (Path file : stateFiles()) {
                state.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return state;
    }

    private List<Path> stateFiles() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith("tpm-00."))
                    .toList();
        }
    }

    @Override
    public void locality(int locality) throws IOException {
        running().control().setLocality(locality);
    }

    @Override
    public byte[] transmit(byte[] command) throws IOException {
        return running().channel().transmit(command);
    }

    private Connection running() throws IOException {
        if (connection == null || !powered) {
            throw new IOException("swtpm has no power");
        }
        return connection;
    }

    @Override
    public void close() {
        if (connection != null) {
            connection.close();
            connection = null;
        }
        powered = false;
    }
}
