package org.vtpm.listener.swtpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The file of a UNIX endpoint: whose it is, who may use it, and what it may replace. */
@Timeout(60)
class UnixSocketFileTest {
    @TempDir
    Path folder;

    private SwtpmListener listener;
    private Path path;
    private URI endpoint;

    @BeforeEach
    void start() throws IOException {
        listener = new SwtpmListener(new Settings(false, 8, Duration.ofSeconds(5)));
        path = folder.resolve("guest.sock");
        endpoint = URI.create("unix:" + path);
    }

    @AfterEach
    void stop() {
        listener.deactivate();
    }

    @Test
    void itIsForItsOwnerAloneAndIsRemovedAtTheEnd() throws Exception {
        listener.open(endpoint, FakeInstance.direct());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(path);
        }
        listener.close(endpoint);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void theLongestPathThatFitsInASocketAddressIsServed() throws Exception {
        String start = folder + "/";
        path = Path.of(start + "s".repeat(Address.MAX_UNIX_PATH - start.length()));
        endpoint = URI.create("unix:" + path);
        listener.open(endpoint, FakeInstance.direct());
        try (Guest guest = new Guest(endpoint)) {
            assertThat(guest.ask(FakeInstance.command(10, 1))).hasSize(10);
        }
    }

    @Test
    void aSocketThatNobodyListensOnIsReplaced() throws Exception {
        leaveSocketBehind();
        listener.open(endpoint, FakeInstance.direct());
        try (Guest guest = new Guest(endpoint)) {
            assertThat(guest.ask(FakeInstance.command(10, 1))).hasSize(10);
        }
    }

    @Test
    void aSocketThatSomebodyListensOnIsLeftAlone() throws Exception {
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));
            refused("a program listens on it");
            assertThat(path).exists();
        }
    }

    @Test
    void whatIsNotASocketIsLeftAlone() throws Exception {
        Files.writeString(path, "precious");
        refused("is not a socket");
        assertThat(path).hasContent("precious");
    }

    @Test
    void aSymbolicLinkIsNeitherFollowedNorReplaced() throws Exception {
        Path target = folder.resolve("target");
        Files.createSymbolicLink(path, target);
        refused("is not a socket");
        assertThat(path).isSymbolicLink();
        assertThat(Files.exists(target, LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    @Test
    void aMissingFolderIsNamed() {
        endpoint = URI.create("unix:" + folder.resolve("missing/guest.sock"));
        refused("there is no folder " + folder.resolve("missing"));
    }

    @Test
    void whatHasTakenItsNameMeanwhileIsNotRemoved() throws Exception {
        listener.open(endpoint, FakeInstance.direct());
        Files.delete(path);
        Files.writeString(path, "somebody else's");
        listener.close(endpoint);
        assertThat(path).hasContent("somebody else's");
    }

    @Test
    void aFailedAttemptLeavesNothingBehind() throws Exception {
        Files.createDirectory(path);
        refused("is not a socket");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(path);
        }
    }

    private void leaveSocketBehind() throws IOException {
        try (ServerSocketChannel crashed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            crashed.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();
    }

    private void refused(String why) {
        assertThatThrownBy(() -> listener.open(endpoint, FakeInstance.direct()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(why);
    }
}
