package org.vtpm.itests.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** OpenSSH's client: a way to the shell that is not ours. */
final class Ssh {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Path folder;
    private final int port;

    /** @param folder for its own files */
    Ssh(Path folder, int port) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.port = port;
        Path askpass = Files.writeString(folder.resolve("askpass"), "#!/bin/sh\nprintf '%s\\n' \"$ANSWER\"\n");
        Files.setPosixFilePermissions(askpass, PosixFilePermissions.fromString("rwx------"));
    }

    /** Logs in with a password and runs one command. Exit status 255 says that it came to no command. */
    Programs.Result run(String user, String password, String command) throws IOException, InterruptedException {
        return Programs.run(
                folder,
                Map.of(
                        "SSH_ASKPASS",
                        folder.resolve("askpass").toString(),
                        "SSH_ASKPASS_REQUIRE",
                        "force",
                        "ANSWER",
                        password),
                PATIENCE,
                "",
                List.of(
                        "ssh",
                        "-F",
                        "none",
                        "-p",
                        Integer.toString(port),
                        "-o",
                        "StrictHostKeyChecking=accept-new",
                        "-o",
                        "UserKnownHostsFile=" + knownHosts(),
                        "-o",
                        "PubkeyAuthentication=no",
                        "-o",
                        "NumberOfPasswordPrompts=1",
                        user + "@127.0.0.1",
                        command));
    }

    /** The host's public key, as it was seen at the first login: its algorithm and its value. */
    String hostKey() throws IOException {
        return Files.readString(knownHosts()).strip().split(" ", 2)[1];
    }

    private Path knownHosts() {
        return folder.resolve("known_hosts");
    }
}
