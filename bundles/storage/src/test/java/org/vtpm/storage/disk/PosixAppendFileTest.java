package org.vtpm.storage.disk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PosixAppendFileTest {
    @TempDir
    Path temporary;

    private PosixDisk disk;
    private Path path;

    @BeforeEach
    void makeFolder() throws Exception {
        disk = new PosixDisk();
        disk.makeFolders(temporary.resolve("folder"));
        path = temporary.resolve("folder/file");
    }

    @Test
    void whatIsWrittenIsRead() throws Exception {
        try (AppendFile file = disk.create(path)) {
            byte[] large = new byte[300_000];
            Arrays.fill(large, (byte) 7);
            file.write(0, "hello world".getBytes(UTF_8));
            file.write(11, large);
            file.write(6, "W".getBytes(UTF_8));
            file.sync();
            assertThat(file.size()).isEqualTo(300_011);
            assertThat(file.read(0, 11)).isEqualTo("hello World".getBytes(UTF_8));
            assertThat(file.read(11, 300_000)).isEqualTo(large);
            assertThatThrownBy(() -> file.read(300_000, 12))
                    .isInstanceOf(EOFException.class)
                    .hasMessageContaining(path + " ends at 300011");
            file.truncate(5);
            assertThat(Files.readString(path)).isEqualTo("hello");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
    }

    @Test
    void itGoesOnUnderAnotherName() throws Exception {
        Path other = path.resolveSibling("other");
        try (AppendFile file = disk.create(path)) {
            file.write(0, "a".getBytes(UTF_8));
            file.rename(other);
            assertThat(file.path()).isEqualTo(other);
            file.write(1, "b".getBytes(UTF_8));
        }
        assertThat(path).doesNotExist();
        assertThat(other).hasContent("ab");
    }

    @Test
    void onlyWhatIsTheDisksOwnIsOpened() throws Exception {
        assertThatThrownBy(() -> disk.open(path, true)).isInstanceOf(NoSuchFileException.class);
        disk.create(path).close();
        assertThatThrownBy(() -> disk.create(path)).isInstanceOf(FileAlreadyExistsException.class);
        try (AppendFile file = disk.open(path, false)) {
            assertThatThrownBy(() -> file.write(0, new byte[1])).isInstanceOf(RuntimeException.class);
        }
        Path link = path.resolveSibling("link");
        Files.createSymbolicLink(link, path);
        assertThatThrownBy(() -> disk.open(link, true)).hasMessageContaining("links and other kinds");
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> disk.open(path, false)).hasMessageContaining("mode 0644");
        AppendFile closed = disk.create(path.resolveSibling("closed"));
        closed.close();
        assertThatThrownBy(() -> closed.read(0, 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(closed::sync).isInstanceOf(IOException.class);
    }

    @Test
    void interruptionsStopNothing() throws Exception {
        try (AppendFile file = disk.create(path)) {
            AtomicBoolean stop = new AtomicBoolean();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread worker = new Thread(() -> {
                try {
                    for (int i = 0; i < 200 || !Thread.currentThread().isInterrupted(); i++) {
                        file.write(i % 100, new byte[] {(byte) i});
                        file.sync();
                        assertThat(file.read(i % 100, 1)).isEqualTo(new byte[] {(byte) i});
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
                stop.set(true);
            });
            worker.start();
            while (!stop.get()) {
                worker.interrupt();
                Thread.sleep(1);
            }
            worker.join();
            assertThat(failure.get()).isNull();
            assertThat(file.size()).isGreaterThan(99);
        }
    }
}
