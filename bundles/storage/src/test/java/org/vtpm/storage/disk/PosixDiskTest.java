package org.vtpm.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PosixDiskTest {
    @TempDir
    Path temporary;

    private PosixDisk disk;
    private Path folder;

    @BeforeEach
    void makeFolder() throws Exception {
        disk = new PosixDisk();
        folder = temporary.resolve("a/b");
        disk.makeFolders(folder);
    }

    @Test
    void foldersAndFilesAreTheirOwnersAlone() throws Exception {
        disk.write(folder.resolve("file"), new byte[3]);
        disk.lock(folder.resolve("lock")).close();
        assertThat(mode(folder.getParent())).isEqualTo("rwx------");
        assertThat(mode(folder)).isEqualTo("rwx------");
        assertThat(mode(folder.resolve("file"))).isEqualTo("rw-------");
        assertThat(mode(folder.resolve("lock"))).isEqualTo("rw-------");
    }

    @Test
    void whatOthersCanOpenIsRefused() throws Exception {
        Path file = folder.resolve("file");
        disk.write(file, new byte[3]);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> disk.read(file, 9))
                .hasMessageContaining("mode 0640")
                .hasMessageContaining("set it to 0600");
        assertThatThrownBy(() -> disk.lock(file)).hasMessageContaining("mode 0640");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x---"));
        assertThatThrownBy(() -> disk.makeFolders(folder)).hasMessageContaining("set it to 0700");
        assertThatThrownBy(() -> disk.list(folder)).hasMessageContaining("mode 0710");
    }

    @Test
    void anotherUsersFileIsRefused() throws Exception {
        assumeTrue(Integer.valueOf(0).equals(Files.getAttribute(folder, "unix:uid")), "only root gives files away");
        Path file = folder.resolve("file");
        disk.write(file, new byte[3]);
        Files.setAttribute(file, "unix:uid", 4242);
        assertThatThrownBy(() -> disk.read(file, 9)).hasMessageContaining("belongs to user 4242");
        Files.setAttribute(folder, "unix:uid", 4242);
        assertThatThrownBy(() -> disk.makeFolders(folder)).hasMessageContaining("belongs to user 4242");
    }

    @Test
    void linksAreRefused() throws Exception {
        Path file = folder.resolve("file");
        Path link = folder.resolve("link");
        Path dangling = folder.resolve("dangling");
        Path folderLink = temporary.resolve("folder link");
        disk.write(file, new byte[3]);
        Files.createSymbolicLink(link, file);
        Files.createSymbolicLink(dangling, temporary.resolve("planted"));
        Files.createSymbolicLink(folderLink, folder);

        assertThatThrownBy(() -> disk.read(link, 9)).hasMessageContaining("is not a regular file");
        assertThatThrownBy(() -> disk.read(folderLink.resolve("file"), 9)).hasMessageContaining("is not a folder");
        assertThatThrownBy(() -> disk.lock(link)).hasMessageContaining("is not a regular file");
        assertThatThrownBy(() -> disk.remove(link)).hasMessageContaining("is not a regular file");
        assertThatThrownBy(() -> disk.makeFolders(folderLink)).hasMessageContaining("is not a folder");
        assertThatThrownBy(() -> disk.list(folderLink)).hasMessageContaining("is not a folder");
        assertThatThrownBy(() -> disk.write(dangling, new byte[3])).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(temporary.resolve("planted")).doesNotExist();
        assertThat(disk.exists(dangling)).isTrue();
    }

    @Test
    void nothingIsWrittenOver() throws Exception {
        Path file = folder.resolve("file");
        disk.write(file, new byte[] {1, 2, 3});
        assertThatThrownBy(() -> disk.write(file, new byte[1])).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(disk.read(file, 3)).containsExactly(1, 2, 3);
        assertThatThrownBy(() -> disk.read(file, 2))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has 3 bytes");
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
