package org.vtpm.shell;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import org.apache.karaf.shell.support.CommandException;

/**
 * The first object in a PEM file (RFC 7468) that is a key or could be mistaken for one. It may be a secret, so it never
 * becomes text.
 *
 * @param label what it is, as between {@code BEGIN} and the dashes
 * @param der what it holds; the caller zeroes it
 */
record Pem(String label, byte[] der) {
    private static final int LONGEST = 1 << 16;
    private static final byte[] BEGIN = bytes("-----BEGIN ");
    private static final byte[] DASHES = bytes("-----");

    /** What {@code openssl ecparam} writes before a key. */
    private static final String PARAMETERS = "EC PARAMETERS";

    static Pem read(Path file) throws CommandException {
        byte[] text = HostFile.read(file, LONGEST);
        try {
            int from = 0;
            while (true) {
                int label = find(text, BEGIN, from) + BEGIN.length;
                int labelEnd = label < BEGIN.length ? -1 : find(text, DASHES, label);
                if (labelEnd < 0) {
                    throw new CommandException(
                            file + " is no PEM file: there is no key between -----BEGIN and -----END");
                }
                String name = new String(text, label, labelEnd - label, StandardCharsets.ISO_8859_1);
                int body = labelEnd + DASHES.length;
                int end = find(text, bytes("-----END " + name + "-----"), body);
                if (end < 0) {
                    throw new CommandException(file + " is cut off: its -----END is missing");
                }
                if (!name.equals(PARAMETERS)) {
                    return new Pem(name, decode(file, name, text, body, end));
                }
                from = end + 1;
            }
        } finally {
            Arrays.fill(text, (byte) 0);
        }
    }

    /** What {@link #read} reads, as text: only for what is not secret. */
    static String text(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + label + "-----\n";
    }

    /** An older form of PEM has headers between its first line and the content; such keys are turned away by their label. */
    private static byte[] decode(Path file, String label, byte[] text, int from, int to) throws CommandException {
        byte[] dense = new byte[to - from];
        int length = 0;
        for (int i = from; i < to; i++) {
            if (text[i] > ' ') {
                dense[length++] = text[i];
            }
        }
        byte[] base64 = Arrays.copyOf(dense, length);
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            if (label.endsWith(" PRIVATE KEY")) {
                return new byte[0];
            }
            // The cause's message has a character of what may be a secret.
            throw new CommandException(file + " is damaged: what it holds is not Base64");
        } finally {
            Arrays.fill(dense, (byte) 0);
            Arrays.fill(base64, (byte) 0);
        }
    }

    private static int find(byte[] text, byte[] word, int from) {
        for (int i = from; i <= text.length - word.length; i++) {
            if (Arrays.equals(text, i, i + word.length, word, 0, word.length)) {
                return i;
            }
        }
        return -1;
    }

    private static byte[] bytes(String word) {
        return word.getBytes(StandardCharsets.ISO_8859_1);
    }
}
