package org.vtpm.transport.fifo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipeDirectoryTest {
    private static final UUID INSTANCE = UUID.randomUUID();

    @TempDir
    Path temporary;

    private Path path;
    private PipeDirectory directory;

    @BeforeEach
    void name() {
        path = temporary.resolve("vtpm/pipes");
        directory = new PipeDirectory(path, Posix.load());
    }

    @Test
    void pipesAreTheirOwnersOnly() throws Exception {
        PipePair pair = directory.create(INSTANCE);
        assertThat(mode(path.getParent())).isEqualTo("rwx------");
        assertThat(mode(path)).isEqualTo("rwx------");
        for (Path pipe : new Path[] {pair.commands(), pair.responses()}) {
            assertThat(mode(pipe)).isEqualTo("rw-------");
            assertThat(Files.readAttributes(pipe, BasicFileAttributes.class).isOther())
                    .isTrue();
            assertThat(pipe.getFileName().toString()).contains(INSTANCE.toString());
            assertThat(PipePair.isNameOfPipe(pipe)).isTrue();
        }
        assertThat(directory.create(INSTANCE)).as("a random end").isNotEqualTo(pair);
        assertThat(PipePair.of(INSTANCE, pair.arguments())).isEqualTo(pair);
    }

    @Test
    void argumentsOfAnotherInstanceAreRefused() throws Exception {
        PipePair pair = directory.create(INSTANCE);
        assertThatIOException().isThrownBy(() -> PipePair.of(UUID.randomUUID(), pair.arguments()));
    }

    @Test
    void aLinkIsRefused() throws Exception {
        Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"), ownerOnly());
        Files.createDirectory(path.getParent(), ownerOnly());
        Files.createSymbolicLink(path, elsewhere);
        refused("link");
        assertThat(elsewhere).isEmptyDirectory();
    }

    @Test
    void aDirectoryThatOthersCanEnterIsRefused() throws Exception {
        Files.createDirectories(path);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx--x---"));
        refused("chmod 700");
    }

    @Test
    void aDirectoryOfSomebodyElseIsRefused() throws Exception {
        assumeThat(Posix.load().effectiveUser())
                .as("only root can give it away")
                .isZero();
        Files.createDirectories(path, ownerOnly());
        Files.setAttribute(path, "unix:uid", 65534);
        refused("belongs to");
    }

    @Test
    void onlyPipesThatNobodyHasOpenAreRemoved() throws Exception {
        PipePair used = directory.create(INSTANCE);
        PipePair stale = directory.create(INSTANCE);
        Path foreign = Files.createFile(path.resolve("notes.txt"));
        Path disguised = Files.createFile(path.resolve("tpm_cmd_to_" + INSTANCE + "_0123456789abcdef.fifo"));
        try (FileChannel commands = both(used.commands());
                FileChannel responses = both(used.responses())) {
            assertThat(directory.removeStale()).isEqualTo(2);
            assertThat(commands.isOpen() && responses.isOpen()).isTrue();
        }
        assertThat(files()).containsExactlyInAnyOrder(used.commands(), used.responses(), foreign, disguised);
        assertThat(stale.commands()).doesNotExist();
        assertThat(directory.removeStale()).isEqualTo(2);
        assertThat(files()).containsExactlyInAnyOrder(foreign, disguised);
    }

    private void refused(String why) {
        assertThatIOException()
                .isThrownBy(() -> directory.create(INSTANCE))
                .withMessageContaining(path.toString())
                .withMessageContaining(why);
        assertThatIOException().isThrownBy(() -> directory.removeStale());
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.toList();
        }
    }

    private static FileChannel both(Path fifo) throws IOException {
        return FileChannel.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static FileAttribute<?> ownerOnly() {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
