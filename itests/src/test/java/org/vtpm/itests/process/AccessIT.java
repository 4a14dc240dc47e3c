package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may get into an installation that nobody has configured: its own user, from this host, with its own password. */
class AccessIT {
    private static final int SSH_FAILED = 255;

    /** Users with passwords that Karaf and its relatives were shipped with. */
    private static final Map<String, String> OTHERS =
            Map.of("admin", "admin", "smx", "smx", "root", "root", "tomcat", "tomcat", "_g_:admingroup", "group");

    @TempDir
    private Path folder;

    @Test
    void onlyTheirOwnUserGetsIn() throws Exception {
        try (KarafServer one = KarafServer.install(folder.resolve("one"));
                KarafServer other = KarafServer.install(folder.resolve("other"))) {
            Ssh ssh = new Ssh(folder.resolve("ssh-one"), one.sshPort());
            assertThat(password(one)).hasSizeGreaterThanOrEqualTo(32).isNotEqualTo(password(other));
            passwordsCount(one, ssh, password(other));
            hostKeysDiffer(ssh, other);
            nobodyListensToTheNetwork(one);
            filesAreTheirUsers(one.home());
            logsInAsBeforeAfterItRestarted(one, ssh);
        }
    }

    private static void passwordsCount(KarafServer karaf, Ssh ssh, String anothers) throws Exception {
        String password = password(karaf);
        assertThat(ssh.run("karaf", password, "vtpm:list").exit()).isZero();
        assertThat(karaf.shell("vtpm:list").exit()).isZero();

        for (String wrong : List.of("karaf", anothers, password + "0", password.substring(1), "")) {
            assertThat(ssh.run("karaf", wrong, "vtpm:list").exit()).isEqualTo(SSH_FAILED);
        }
        for (Map.Entry<String, String> other : OTHERS.entrySet()) {
            for (String guess : List.of(other.getValue(), password)) {
                assertThat(ssh.run(other.getKey(), guess, "vtpm:list").exit())
                        .as("login as " + other.getKey())
                        .isEqualTo(SSH_FAILED);
            }
        }
        assertThat(Files.readAllLines(karaf.home().resolve("etc/keys.properties")))
                .as("public keys that let their owners in")
                .allMatch(line -> line.isBlank() || line.startsWith("#") || line.startsWith("_g_"));
    }

    private void hostKeysDiffer(Ssh ssh, KarafServer other) throws Exception {
        Ssh otherSsh = new Ssh(folder.resolve("ssh-other"), other.sshPort());
        assertThat(otherSsh.run("karaf", password(other), "vtpm:list").exit()).isZero();
        assertThat(ssh.hostKey()).isNotEqualTo(otherSsh.hostKey());
    }

    private static void nobodyListensToTheNetwork(KarafServer karaf) throws Exception {
        int port = KarafServer.freePort();
        Programs.Result created = karaf.shell(
                "vtpm:create served --endpoint tcp:127.0.0.1:" + port,
                "vtpm:create apart --isolation process --no-ek",
                "vtpm:start apart");
        assertThat(created.exit()).as(created.output()).isZero();

        int stopPort = Integer.parseInt(
                Files.readString(karaf.home().resolve("data/port")).strip());
        List<InetSocketAddress> manager = ListeningSockets.of(karaf.pid());
        assertThat(manager).allMatch(address -> address.getAddress().isLoopbackAddress());
        assertThat(manager)
                .extracting(InetSocketAddress::getPort)
                .containsExactlyInAnyOrder(karaf.sshPort(), port, stopPort);

        List<Long> children = ProcessHandle.of(karaf.pid())
                .orElseThrow()
                .descendants()
                .map(ProcessHandle::pid)
                .toList();
        assertThat(children).as("vtpmd").isNotEmpty();
        for (long vtpmd : children) {
            assertThat(ListeningSockets.of(vtpmd)).as("sockets of vtpmd").isEmpty();
        }
    }

    private static void filesAreTheirUsers(Path home) throws IOException {
        assertThat(mode(home.resolve("etc"))).isEqualTo("rwx------");
        assertThat(mode(home.resolve("data"))).isEqualTo("rwx------");
        assertThat(mode(home.resolve("etc/users.properties"))).isEqualTo("rw-------");
        assertThat(mode(home.resolve("etc/host.key"))).isEqualTo("rw-------");
        for (String folder : List.of("data/vtpm", "data/log")) {
            try (Stream<Path> written = Files.walk(home.resolve(folder))) {
                assertThat(written.map(AccessIT::mode)).as(folder).allMatch(mode -> mode.endsWith("------"));
            }
        }
        assertThat(home.resolve("data/vtpm/storage")).isDirectory();
        assertThat(home.resolve("data/vtpm/fifos/from_console.fifo")).exists();
        assertThat(mode(home.resolve("data/vtpm/root/software.key"))).isEqualTo("rw-------");
    }

    private static void logsInAsBeforeAfterItRestarted(KarafServer karaf, Ssh ssh) throws Exception {
        String password = password(karaf);
        karaf.restart();
        assertThat(password(karaf)).isEqualTo(password);
        // It refuses a host whose key has changed.
        assertThat(ssh.run("karaf", password, "vtpm:list").exit()).isZero();
    }

    private static String mode(Path path) {
        try {
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The generated password, read as an operator reads it. */
    private static String password(KarafServer karaf) throws IOException {
        Properties users = new Properties();
        try (var in = Files.newBufferedReader(karaf.home().resolve("etc/users.properties"))) {
            users.load(in);
        }
        return users.getProperty("karaf").split(",", 2)[0];
    }
}
