package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Debian package, unpacked into a folder in place of the root: what the unit of systemd starts comes up and is found
 * ready, and writes to no place that belongs to the package. Installing it needs a host that may be changed, and is not tried here.
 */
class PackageIT {
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    @TempDir
    private Path root;

    private Process server;
    private Map<String, String> environment;

    @BeforeEach
    void unpack() throws Exception {
        run(Map.of(), "dpkg-deb", "-x", System.getProperty("vtpm.package"), root.toString());
        environment = Map.of("ORG_APACHE_KARAF_SHELL_SSHPORT", Integer.toString(KarafServer.freePort()));
    }

    @AfterEach
    void stop() throws Exception {
        if (server != null) {
            Programs.kill(server);
        }
    }

    @Test
    void theUnitStartsWhatIsReadyAndLeavesThePackageAlone() throws Exception {
        Map<String, String> packaged = files();
        server =
                Programs.start(root, root.resolve("console.log"), List.of(program("bin/karaf"), "server"), environment);
        run(environment, program("bin/ready"));

        assertThat(shell("vtpm:create web", "vtpm:list")).contains("web");

        // In a dom0, which this is made to look like, the unit switches the listener for Xen's guests on.
        Map<String, String> dom0 = new HashMap<>(environment);
        dom0.put(
                "VTPM_XEN_CAPABILITIES",
                Files.writeString(root.resolve("capabilities"), "control_d\n").toString());
        run(dom0, program("bin/ready"));
        assertThat(shell("feature:list -i")).contains("vtpm-listener-xen");

        assertThat(files()).isEqualTo(packaged);
        assertThat(root.resolve("var/lib/vtpm-manager/vtpm/storage/host.key")).isRegularFile();
        for (String own : List.of("var/lib/vtpm-manager", "etc/vtpm-manager")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve(own))))
                    .as(own)
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void systemdKnowsAllThatTheUnitSays() throws Exception {
        String unit = Files.readString(root.resolve("lib/systemd/system/vtpm-manager.service"));
        assertThat(unit).contains("After=", "xenstored.service", "Before=xendomains.service");
        Path here = root.resolve("vtpm-manager.service");
        Files.writeString(here, unit.replace("=/usr/share/", "=" + root + "/usr/share/"));
        Programs.Result verified =
                Programs.run(root, Map.of(), PATIENCE, "", List.of("systemd-analyze", "verify", here.toString()));
        assertThat(verified.exit()).as(verified.output()).isZero();
        assertThat(verified.output()).as("warnings").doesNotContain("vtpm-manager");
    }

    private String shell(String... lines) throws Exception {
        Programs.Result result = Programs.run(
                root, environment, PATIENCE, String.join("\n", lines) + "\n", List.of(program("bin/client"), "-b"));
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    private String program(String name) {
        return root.resolve("usr/share/vtpm-manager").resolve(name).toString();
    }

    /** What the package put below usr, with what it is. */
    private Map<String, String> files() throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root.resolve("usr"))) {
            for (Path file : all.toList()) {
                files.put(
                        root.relativize(file).toString(),
                        Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                                ? Files.size(file) + " " + Files.getLastModifiedTime(file)
                                : "");
            }
        }
        return files;
    }

    private void run(Map<String, String> environment, String... command) throws Exception {
        Programs.Result result = Programs.run(root, environment, PATIENCE, "", List.of(command));
        assertThat(result.exit())
                .as(String.join(" ", command) + ": " + result.output())
                .isZero();
    }
}
