package org.vtpm.storage.key;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.crypto.Hpke;
import org.vtpm.crypto.SecretSharing;
import org.vtpm.crypto.SecretSharing.Share;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;

/**
 * A set of recovery keys, of which a quorum opens the host's secret when no root of trust does. They are shown once and
 * stored nowhere; storage keeps the public half of what they stand for.
 *
 * <p>A key is text of 80 hexadecimal digits in groups of four: 1 byte quorum, 1 byte number of the key, 4 bytes name of the
 * set (the start of its public key), 32 bytes share, and 2 bytes of the SHA-256 of all before, against typing errors.
 */
public final class RecoveryKeys implements AutoCloseable {
    private static final int SET_LENGTH = 4;
    private static final int CHECK_LENGTH = 2;
    private static final int LENGTH = 2 + SET_LENGTH + Hpke.SEED_LENGTH + CHECK_LENGTH;
    private static final int GROUP = 4;
    private static final String DIGITS = "0123456789abcdef";

    private final int quorum;
    private final byte[] publicKey;
    private final List<Share> shares;

    private RecoveryKeys(int quorum, byte[] publicKey, List<Share> shares) {
        this.quorum = quorum;
        this.publicKey = publicKey;
        this.shares = shares;
    }

    /** What a set of recovery keys seals to, and tells that keys are of that set. */
    record PublicHalf(int quorum, byte[] publicKey) {}

    /**
     * Makes a set.
     *
     * @param quorum how many keys open, 1 or more
     * @param count how many keys there are, up to {@value SecretSharing#MOST_SHARES}
     */
    public static RecoveryKeys make(int quorum, int count, SecureRandom random) {
        List<Share> shares = SecretSharing.split(Hpke.SEED_LENGTH, quorum, count, random);
        byte[] seed = SecretSharing.combine(shares.subList(0, quorum));
        try {
            return new RecoveryKeys(quorum, Hpke.publicKey(seed), shares);
        } finally {
            Secrets.zero(seed);
        }
    }

    PublicHalf publicHalf() {
        return new PublicHalf(quorum, publicKey);
    }

    /** The keys as text, for the operator; the caller zeroes them. */
    public List<char[]> texts() {
        List<char[]> texts = new ArrayList<>();
        for (Share share : shares) {
            byte[] body = ByteBuffer.allocate(LENGTH - CHECK_LENGTH)
                    .put((byte) quorum)
                    .put((byte) share.number())
                    .put(publicKey, 0, SET_LENGTH)
                    .put(share.value())
                    .array();
            byte[] whole = Arrays.copyOf(body, LENGTH);
            System.arraycopy(Sha256.of(body), 0, whole, body.length, CHECK_LENGTH);
            texts.add(text(whole));
            Secrets.zero(body, whole);
        }
        return texts;
    }

    @Override
    public void close() {
        shares.forEach(share -> Secrets.zero(share.value()));
    }

    /**
     * What keys of a set stand for.
     *
     * @param keys as text, in any order and case, with any spaces and dashes
     * @return the seed; the caller zeroes it
     * @throws IOException if they are not keys of this set, or too few; the message says which
     */
    static byte[] seed(List<char[]> keys, PublicHalf expected) throws IOException {
        List<Share> shares = new ArrayList<>();
        try {
            for (int i = 0; i < keys.size(); i++) {
                String which = "recovery key " + (i + 1) + " of the " + keys.size() + " given";
                Share share = share(bytes(keys.get(i)), which, expected);
                if (shares.stream().anyMatch(other -> other.number() == share.number())) {
                    Secrets.zero(share.value());
                    throw new IOException(which + " was given twice");
                }
                shares.add(share);
            }
            if (shares.size() < expected.quorum()) {
                throw new IOException(
                        expected.quorum() + " recovery keys are needed, but " + shares.size() + " were given");
            }
            byte[] seed = SecretSharing.combine(shares);
            if (!Arrays.equals(Hpke.publicKey(seed), expected.publicKey())) {
                Secrets.zero(seed);
                throw new IOException("these recovery keys do not belong to this storage");
            }
            return seed;
        } finally {
            shares.forEach(share -> Secrets.zero(share.value()));
        }
    }

    private static Share share(byte @Nullable [] bytes, String which, PublicHalf expected) throws IOException {
        try {
            if (bytes == null || bytes.length != LENGTH) {
                throw new IOException(which + " is not one: it has " + 2 * LENGTH + " digits from 0 to f");
            }
            byte[] sum = Sha256.of(Arrays.copyOf(bytes, LENGTH - CHECK_LENGTH));
            if (!Arrays.equals(bytes, LENGTH - CHECK_LENGTH, LENGTH, sum, 0, CHECK_LENGTH)) {
                throw new IOException(which + " has a typing error: its check digits do not match");
            }
            if (!Arrays.equals(bytes, 2, 2 + SET_LENGTH, expected.publicKey(), 0, SET_LENGTH)) {
                throw new IOException(which + " belongs to another set of recovery keys");
            }
            return new Share(
                    Byte.toUnsignedInt(bytes[1]), Arrays.copyOfRange(bytes, 2 + SET_LENGTH, LENGTH - CHECK_LENGTH));
        } finally {
            Secrets.zero(bytes);
        }
    }

    private static char[] text(byte[] bytes) {
        char[] text = new char[2 * bytes.length + 2 * bytes.length / GROUP - 1];
        int at = 0;
        for (int digit = 0; digit < 2 * bytes.length; digit++) {
            if (digit > 0 && digit % GROUP == 0) {
                text[at++] = '-';
            }
            int shift = digit % 2 == 0 ? 4 : 0;
            text[at++] = DIGITS.charAt(bytes[digit / 2] >> shift & 0xf);
        }
        return text;
    }

    /** The bytes that digits stand for; nothing if there is anything else than digits, spaces and dashes. */
    private static byte @Nullable [] bytes(char[] text) {
        byte[] bytes = new byte[LENGTH];
        int digits = 0;
        for (char character : text) {
            if (character == '-' || Character.isWhitespace(character)) {
                continue;
            }
            int digit = Character.digit(character, 16);
            if (digit < 0 || digits == 2 * LENGTH) {
                Secrets.zero(bytes);
                return null;
            }
            bytes[digits / 2] |= (byte) (digits % 2 == 0 ? digit << 4 : digit);
            digits++;
        }
        if (digits != 2 * LENGTH) {
            Secrets.zero(bytes);
            return null;
        }
        return bytes;
    }
}
