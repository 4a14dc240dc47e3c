package org.vtpm.shell;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.CommandException;

/** Recovery keys that an operator hands in; they are zeroed when it is closed. */
final class RecoveryKeys implements AutoCloseable {
    private static final int LONGEST = 1 << 14;

    private final List<char[]> keys = new ArrayList<>();

    private RecoveryKeys() {}

    /** Asks for keys, one by one and without showing what is typed. */
    static RecoveryKeys ask(Session session, int count) throws CommandException {
        RecoveryKeys asked = new RecoveryKeys();
        try {
            for (int i = 1; i <= count; i++) {
                String prompt = count == 1 ? "Recovery key: " : "Recovery key " + i + " of " + count + ": ";
                String typed = Terminal.secret(session, prompt, "key", "--keys-file");
                asked.keys.add(typed.strip().toCharArray());
            }
            return asked;
        } catch (CommandException | RuntimeException e) {
            asked.close();
            throw e;
        }
    }

    /** Reads keys from a file, one a line; empty lines do not count. */
    static RecoveryKeys read(Path file) throws CommandException {
        byte[] content = HostFile.read(file, LONGEST);
        CharBuffer text = StandardCharsets.ISO_8859_1.decode(ByteBuffer.wrap(content));
        RecoveryKeys found = new RecoveryKeys();
        int start = 0;
        for (int i = 0; i <= text.length(); i++) {
            if (i == text.length() || text.get(i) == '\n') {
                found.addLine(text, start, i);
                start = i + 1;
            }
        }
        Arrays.fill(content, (byte) 0);
        Arrays.fill(text.array(), '\0');
        if (found.keys.isEmpty()) {
            throw new CommandException("There is no recovery key in " + file);
        }
        return found;
    }

    private void addLine(CharBuffer text, int start, int end) {
        int first = start;
        int last = end;
        while (first < last && text.get(first) <= ' ') {
            first++;
        }
        while (last > first && text.get(last - 1) <= ' ') {
            last--;
        }
        if (first < last) {
            char[] key = new char[last - first];
            text.get(first, key);
            keys.add(key);
        }
    }

    List<char[]> keys() {
        return keys;
    }

    @Override
    public void close() {
        keys.forEach(key -> Arrays.fill(key, '\0'));
    }
}
