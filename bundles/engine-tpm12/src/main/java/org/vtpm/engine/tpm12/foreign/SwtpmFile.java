package org.vtpm.engine.tpm12.foreign;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.crypto.AesCbc;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;

/**
 * The file in which swtpm keeps a TPM's state, or into which it exports it. Big-endian: a header of u8 version, u8 least
 * version that a reader must know, u16 its length, u16 flags, u32 length of the file, then
 *
 * <ul>
 *   <li>in version 2, fields of u16 tag, u32 length, content: the plain state (1), or the encrypted state (2), HMAC-SHA-256
 *       of it and of the vector (3) and an initial vector as long as the key (6), without which it is zeros. What was
 *       written to be migrated has these fields in another one: plain (4), or encrypted (5) with an HMAC (3) and a
 *       vector (7) as above, with a key for this;
 *   <li>in version 1, the plain state, or, encrypted with a vector of zeros, its SHA-256 and the state.
 * </ul>
 *
 * Encrypted is AES-CBC; the padding fills up to a multiple of the key's length, with its own length in every byte. Before
 * there were headers the file was the plain state.
 */
public final class SwtpmFile {
    private static final int VERSION = 2;
    private static final int HEADER = 10;

    private static final int ENCRYPTED = 0x01;
    private static final int MIGRATION_ENCRYPTED = 0x02;
    private static final int MIGRATION = 0x04;
    private static final int ENCRYPTED_256 = 0x08;
    private static final int MIGRATION_ENCRYPTED_256 = 0x10;

    private static final int TAG_PLAIN = 1;
    private static final int TAG_HMAC = 3;
    private static final int TAG_MIGRATION = 4;

    /** The first byte of a blob of libtpms; no header has this version. */
    private static final int NO_HEADER = 0;

    /** Both ways in which content can be encrypted: swtpm's option, and the tags of content and vector. */
    private enum Layer {
        STATE("--key", 2, 6),
        MIGRATION("--migration-key", 5, 7);

        private final String option;
        private final int encrypted;
        private final int vector;

        Layer(String option, int encrypted, int vector) {
            this.option = option;
            this.encrypted = encrypted;
            this.vector = vector;
        }
    }

    private SwtpmFile() {}

    /**
     * The engine state in a file.
     *
     * @param foreign as swtpm wrote it, in a file of its own or in one with all states; stays the caller's
     * @return what libtpms wrote; the caller zeroes it
     * @throws EngineStateException if it is damaged, or not encrypted with these keys
     */
    public static byte[] open(ForeignState foreign) throws EngineStateException {
        if (!SwtpmSingleFile.is(foreign.content())) {
            return open(foreign.content(), foreign.key(), foreign.migrationKey());
        }
        byte[] file = SwtpmSingleFile.permanent(foreign.content());
        try {
            return open(file, foreign.key(), foreign.migrationKey());
        } finally {
            Secrets.zero(file);
        }
    }

    /** What of a file is not the permanent state and is not read, for the operator. */
    public static List<String> leftBehind(ForeignState foreign) throws EngineStateException {
        return SwtpmSingleFile.is(foreign.content()) ? SwtpmSingleFile.leftBehind(foreign.content()) : List.of();
    }

    private static byte[] open(byte[] file, ForeignState.@Nullable Key key, ForeignState.@Nullable Key migrationKey)
            throws EngineStateException {
        Fields in = fields(file, 0);
        if (file.length > 0 && file[0] == NO_HEADER) {
            requireKey(Layer.STATE, false, key);
            requireKey(Layer.MIGRATION, false, migrationKey);
            return file.clone();
        }
        int version = in.u8("version");
        int least = in.u8("least version");
        int headerLength = in.u16("header length");
        int flags = in.u16("flags");
        int length = in.i32("length");
        if (least > VERSION) {
            throw new EngineStateException("swtpm's file has a format of version " + least
                    + " or newer, but only versions up to " + VERSION + " can be read");
        }
        if (length != file.length) {
            throw new EngineStateException("swtpm's file is cut short or is none: it has " + file.length
                    + " bytes, and says " + Integer.toUnsignedString(length));
        }
        if (headerLength < HEADER || headerLength > file.length) {
            throw in.wrong("header length", "is " + headerLength + " of " + file.length);
        }
        boolean exported = (flags & MIGRATION_ENCRYPTED) != 0;
        requireKey(Layer.STATE, (flags & ENCRYPTED) != 0, key);
        requireKey(Layer.MIGRATION, exported, migrationKey);
        if (version < VERSION) {
            if (exported) {
                throw in.wrong("flags", "tell of a migration key, which a file of version " + version + " has not");
            }
            byte[] content = Arrays.copyOfRange(file, headerLength, file.length);
            return key == null ? content : openFirst(content, key);
        }
        Map<Integer, byte[]> content = entries(fields(file, headerLength));
        if (migrationKey != null) {
            byte[] inner = openSecond(Layer.MIGRATION, content, migrationKey, (flags & MIGRATION_ENCRYPTED_256) != 0);
            try {
                content = entries(fields(inner, 0));
            } finally {
                Secrets.zero(inner);
            }
        } else if ((flags & MIGRATION) != 0) {
            content = entries(fields(entry(content, TAG_MIGRATION, "state for migration"), 0));
        }
        return key == null
                ? entry(content, TAG_PLAIN, "plain state")
                : openSecond(Layer.STATE, content, key, (flags & ENCRYPTED_256) != 0);
    }

    private static Fields fields(byte[] bytes, int from) {
        return new Fields("swtpm's file", bytes, from, bytes.length);
    }

    private static Map<Integer, byte[]> entries(Fields in) throws EngineStateException {
        Map<Integer, byte[]> entries = new HashMap<>();
        while (in.remaining() > 0) {
            int tag = in.u16("tag");
            if (entries.putIfAbsent(tag, in.sized("field " + tag)) != null) {
                throw in.wrong("field " + tag, "comes twice");
            }
        }
        return entries;
    }

    private static byte[] entry(Map<Integer, byte[]> entries, int tag, String name) throws EngineStateException {
        byte[] content = entries.get(tag);
        if (content == null) {
            throw new EngineStateException("swtpm's file is damaged: it has no " + name + " (tag " + tag + ")");
        }
        return content;
    }

    private static void requireKey(Layer layer, boolean encrypted, ForeignState.@Nullable Key key)
            throws EngineStateException {
        if (encrypted && key == null) {
            throw new EngineStateException(
                    "swtpm's file is encrypted: give the key or the pass phrase that swtpm's " + layer.option + " has");
        }
        if (!encrypted && key != null) {
            throw new EngineStateException("swtpm's file is not encrypted with swtpm's " + layer.option
                    + ": give no key and no pass phrase for that");
        }
    }

    /** Version 1 does not say how long the key is; only the decrypted state tells whether it is the right one. */
    private static byte[] openFirst(byte[] encrypted, ForeignState.Key key) throws EngineStateException {
        byte[] secret = SwtpmKey.derive(key);
        byte[] plain = {};
        try {
            plain = decrypt(Layer.STATE, secret, new byte[AesCbc.BLOCK], encrypted);
            byte[] state =
                    plain.length < Sha256.LENGTH ? plain : Arrays.copyOfRange(plain, Sha256.LENGTH, plain.length);
            if (plain.length < Sha256.LENGTH || !Secrets.equal(Arrays.copyOf(plain, Sha256.LENGTH), Sha256.of(state))) {
                Secrets.zero(state);
                throw wrongKey(Layer.STATE);
            }
            return state;
        } finally {
            Secrets.zero(secret, plain);
        }
    }

    private static byte[] openSecond(Layer layer, Map<Integer, byte[]> content, ForeignState.Key key, boolean longKey)
            throws EngineStateException {
        byte[] encrypted = entry(content, layer.encrypted, "content encrypted with " + layer.option);
        byte[] hmac = entry(content, TAG_HMAC, "HMAC");
        byte[] vector = content.getOrDefault(layer.vector, new byte[0]);
        int keyLength = longKey ? SwtpmKey.LONG : SwtpmKey.SHORT;
        if (vector.length != 0 && vector.length != keyLength) {
            throw new EngineStateException(
                    "swtpm's file is damaged: its initial vector has " + vector.length + " bytes, not " + keyLength);
        }
        byte[] secret = SwtpmKey.derive(key, keyLength);
        try {
            if (!Secrets.equal(hmac, Hmac.sha256(secret, encrypted, vector))) {
                throw wrongKey(layer);
            }
            return decrypt(layer, secret, Arrays.copyOf(vector, AesCbc.BLOCK), encrypted);
        } finally {
            Secrets.zero(secret);
        }
    }

    private static byte[] decrypt(Layer layer, byte[] key, byte[] iv, byte[] encrypted) throws EngineStateException {
        if (encrypted.length == 0 || encrypted.length % AesCbc.BLOCK != 0) {
            throw new EngineStateException("swtpm's file is damaged: its encrypted state has " + encrypted.length
                    + " bytes, not a multiple of " + AesCbc.BLOCK);
        }
        byte[] padded = AesCbc.decrypt(key, iv, encrypted);
        try {
            int padding = padded[padded.length - 1] & 0xFF;
            boolean right = padding > 0 && padding <= key.length && padding <= padded.length;
            for (int i = 1; right && i <= padding; i++) {
                right = padded[padded.length - i] == padded[padded.length - 1];
            }
            if (!right) {
                throw wrongKey(layer);
            }
            return Arrays.copyOf(padded, padded.length - padding);
        } finally {
            Secrets.zero(padded);
        }
    }

    private static EngineStateException wrongKey(Layer layer) {
        return new EngineStateException("swtpm's file does not open: swtpm's " + layer.option
                + " has another key or pass phrase, or the file is damaged");
    }
}
