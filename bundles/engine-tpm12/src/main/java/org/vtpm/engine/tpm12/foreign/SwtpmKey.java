package org.vtpm.engine.tpm12.foreign;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.crypto.Passphrase;

/** What swtpm's option {@code --key} makes of a file with a key or a pass phrase. */
final class SwtpmKey {
    /** Length in bytes of a key for mode aes-cbc, which is also called aes-128-cbc. */
    static final int SHORT = 16;

    /** Length in bytes of a key for mode aes-256-cbc. */
    static final int LONG = 32;

    private static final byte[] SALT = "swtpm".getBytes(StandardCharsets.US_ASCII);
    private static final int ITERATIONS = 1000;

    private SwtpmKey() {}

    /** The key of this length; the caller zeroes it. */
    static byte[] derive(ForeignState.Key key, int length) throws EngineStateException {
        byte[] content = key.content();
        byte[] secret = switch (key.form()) {
            case BINARY -> content.clone();
            case HEX -> hex(content);
            case PBKDF2 -> Passphrase.pbkdf2Sha512(content, SALT, ITERATIONS, length);
            case SHA512 -> Passphrase.sha512(content, length);
        };
        if (secret.length != length) {
            int bits = Byte.SIZE * secret.length;
            Arrays.fill(secret, (byte) 0);
            throw new EngineStateException("swtpm's file is encrypted with a key of " + Byte.SIZE * length
                    + " bits, but the given one has " + bits);
        }
        return secret;
    }

    /** The key for a file that does not tell its length: as long as it is given, and short from a pass phrase. */
    static byte[] derive(ForeignState.Key key) throws EngineStateException {
        int length = switch (key.form()) {
            case BINARY -> key.content().length;
            case HEX -> digits(key.content()).length() / 2;
            case PBKDF2, SHA512 -> SHORT;
        };
        return derive(key, length == LONG ? LONG : SHORT);
    }

    private static byte[] hex(byte[] content) throws EngineStateException {
        try {
            return HexFormat.of().parseHex(digits(content));
        } catch (IllegalArgumentException e) {
            // The cause is left out: it quotes the key.
            throw new EngineStateException("the given key is not in hexadecimal digits");
        }
    }

    /** Digits up to the first white space, as swtpm takes them. */
    private static CharSequence digits(byte[] content) {
        int from = content.length > 1 && content[0] == '0' && content[1] == 'x' ? 2 : 0;
        int to = from;
        while (to < content.length && !Character.isWhitespace(content[to] & 0xFF)) {
            to++;
        }
        return StandardCharsets.ISO_8859_1.decode(ByteBuffer.wrap(content, from, to - from));
    }
}
