package org.vtpm.shell;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.CommandException;

/** The pass phrase of a bundle, as an operator hands it over; it is zeroed when it is closed. */
final class Passphrase implements AutoCloseable {
    /** The option for a file with it. */
    static final String FILE = "--passphrase-file";

    private static final int LONGEST = 1 << 12;

    private final byte[] bytes;

    private Passphrase(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Asks for the pass phrase that a bundle has. */
    static Passphrase ask(Session session) throws CommandException {
        return new Passphrase(typed(session, "Pass phrase of the bundle: "));
    }

    /** Asks twice for one that a bundle shall have: nothing opens the bundle if it was mistyped. */
    static Passphrase askTwice(Session session) throws CommandException {
        Passphrase first = new Passphrase(typed(session, "New pass phrase for the bundle: "));
        try (Passphrase second = new Passphrase(typed(session, "The same once more: "))) {
            if (Arrays.equals(first.bytes, second.bytes)) {
                return first;
            }
            throw new CommandException("These were two pass phrases; nothing was exported");
        } catch (CommandException | RuntimeException e) {
            first.close();
            throw e;
        }
    }

    private static byte[] typed(Session session, String prompt) throws CommandException {
        return Terminal.secret(session, prompt, "pass phrase", FILE).getBytes(StandardCharsets.UTF_8);
    }

    /** Reads one from a file. A line end after it does not count, since editors leave one and nobody types it. */
    static Passphrase read(Path file) throws CommandException {
        byte[] content = HostFile.read(file, LONGEST);
        int length = content.length;
        if (length > 0 && content[length - 1] == '\n') {
            length--;
            if (length > 0 && content[length - 1] == '\r') {
                length--;
            }
        }
        byte[] phrase = new byte[length];
        ByteBuffer.wrap(content).get(phrase);
        Arrays.fill(content, (byte) 0);
        return new Passphrase(phrase);
    }

    byte[] bytes() {
        return bytes;
    }

    @Override
    public void close() {
        Arrays.fill(bytes, (byte) 0);
    }
}
