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
import org.vtpm.itests.tpm12.SocketTpm;

/** Debian's swtpm; each power cycle is a process of its own. */
final class SwtpmTarget implements Target {
    private final Path folder;
    private @Nullable Swtpm process;
    private @Nullable SocketTpm channel;

    SwtpmTarget(Path folder) {
        this.folder = folder;
    }

    @Override
    public void powerOn(Map<String, byte[]> state) throws IOException {
        powerOff();
        Files.createDirectories(folder);
        for (Path file : stateFiles()) {
            Files.delete(file);
        }
        for (Map.Entry<String, byte[]> part : state.entrySet()) {
            Files.write(folder.resolve(part.getKey()), part.getValue());
        }
        try {
            process = Swtpm.start(folder);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while swtpm started").initCause(e);
        }
        channel = process.connect();
    }

    @Override
    public Map<String, byte[]> powerOff() throws IOException {
        close();
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
    public byte[] transmit(byte[] command) throws IOException {
        if (channel == null) {
            throw new IOException("swtpm has no power");
        }
        return channel.transmit(command);
    }

    @Override
    public void close() {
        if (channel != null) {
            channel.close();
            channel = null;
        }
        if (process != null) {
            process.close();
            process = null;
        }
    }
}
