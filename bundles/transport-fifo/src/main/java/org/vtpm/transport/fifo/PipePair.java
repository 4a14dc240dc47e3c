package org.vtpm.transport.fifo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.vtpm.transport.fifo.wire.FramePipe;
import org.vtpm.transport.fifo.wire.Role;

/**
 * The two named pipes of one engine, named after the original manager's with a random end.
 *
 * @param instance whose engine it is
 * @param commands manager to engine
 * @param responses engine to manager
 */
record PipePair(UUID instance, Path commands, Path responses) {
    private static final String COMMANDS = "tpm_cmd_to_";
    private static final String RESPONSES = "tpm_rsp_from_";
    private static final String SUFFIX = ".fifo";
    private static final Pattern NAME =
            Pattern.compile("(" + COMMANDS + "|" + RESPONSES + ")[0-9a-f-]{36}_[0-9a-f]{16}\\" + SUFFIX);

    /** New names; nothing is made. */
    static PipePair of(Path directory, UUID instance, SecureRandom random) {
        byte[] bytes = new byte[8];
        random.nextBytes(bytes);
        String end = instance + "_" + HexFormat.of().formatHex(bytes) + SUFFIX;
        return new PipePair(instance, directory.resolve(COMMANDS + end), directory.resolve(RESPONSES + end));
    }

    /** The pair that {@link #arguments} were made for. */
    static PipePair of(UUID instance, List<String> arguments) throws IOException {
        if (arguments.size() != 3 || !arguments.get(0).equals(instance.toString())) {
            throw new IOException("these are no pipes of instance " + instance + ": " + arguments);
        }
        return new PipePair(instance, Path.of(arguments.get(1)), Path.of(arguments.get(2)));
    }

    /** What a process is given on its command line to find the pair. */
    List<String> arguments() {
        return List.of(instance.toString(), commands.toString(), responses.toString());
    }

    /** Whether a file is one that this class names. */
    static boolean isNameOfPipe(Path file) {
        return NAME.matcher(String.valueOf(file.getFileName())).matches();
    }

    /** Opens one end of the channel; see {@link FramePipe#open}. */
    FramePipe open(Role role, byte[] secret) throws IOException {
        return FramePipe.open(role, commands, responses, secret);
    }

    /** Opens the manager's end and holds the pipes open meanwhile; see {@link FramePipe#hold}. */
    FramePipe hold(byte[] secret) throws IOException {
        return FramePipe.hold(Role.MANAGER, commands, responses, secret);
    }

    void delete() throws IOException {
        try {
            Files.deleteIfExists(commands);
        } finally {
            Files.deleteIfExists(responses);
        }
    }
}
