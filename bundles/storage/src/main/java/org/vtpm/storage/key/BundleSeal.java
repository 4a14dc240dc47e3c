package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U32;
import org.vtpm.crypto.AesGcm;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Hpke;
import org.vtpm.crypto.Passphrase;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;

/**
 * The outside of a bundle: a header that says what opens it, the sealed content, and a checksum over both, which tells damage
 * from a wrong key. The content is sealed under a key of its own, bound to the header; that key comes from a pass phrase, or
 * is sealed to a host.
 */
public final class BundleSeal {
    private static final byte[] MAGIC = "VTPMBNDL".getBytes(US_ASCII);
    private static final byte[] KEY_PURPOSE = "vtpm bundle 1: content key".getBytes(US_ASCII);
    private static final int VERSION = 1;
    private static final int KEY_LENGTH = 32;
    private static final int SALT_LENGTH = 32;
    private static final int SHORTEST = MAGIC.length + Short.BYTES + Sha256.LENGTH;

    /** Rounds of PBKDF2 for a new bundle: a second or two for the operator, and for each phrase that somebody tries on a processor. */
    private static final int ROUNDS = 600_000;

    /** Rounds at most that somebody else's bundle can have us do. */
    private static final int MOST_ROUNDS = 10_000_000;

    private BundleSeal() {}

    private record Header(@Fixed(8) byte[] magic, @U16 int version, Lock lock) {}

    private sealed interface Lock {}

    /** The key is PBKDF2 with HMAC-SHA-512 of the phrase. */
    @Tag(value = 1, bytes = 1)
    private record ByPassphrase(
            @U32 long rounds, @Fixed(SALT_LENGTH) byte[] salt) implements Lock {}

    /** The key is sealed to the host. */
    @Tag(value = 2, bytes = 1)
    private record ByHost(
            @Fixed(Hpke.PUBLIC_KEY_LENGTH) byte[] host,

            @Fixed(Hpke.PUBLIC_KEY_LENGTH + KEY_LENGTH + AesGcm.TAG_LENGTH)
            byte[] sealedKey)
            implements Lock {}

    /** A bundle that was taken apart; {@code header} are its bytes as they were. */
    private record Parsed(Lock lock, byte[] header, byte[] sealed) {}

    /**
     * Seals content for a recipient.
     *
     * @throws IOException if the recipient's key or pass phrase is unfit, or the content too long
     */
    public static byte[] seal(BundleRecipient recipient, byte[] content, SecureRandom random) throws IOException {
        return seal(recipient, ROUNDS, content, random);
    }

    static byte[] seal(BundleRecipient recipient, int rounds, byte[] content, SecureRandom random) throws IOException {
        byte[] key = new byte[KEY_LENGTH];
        try {
            Lock lock;
            if (recipient instanceof BundleRecipient.Passphrase passphrase) {
                requireStrength(passphrase.phrase());
                byte[] salt = new byte[SALT_LENGTH];
                random.nextBytes(salt);
                key = Passphrase.pbkdf2Sha512(passphrase.phrase(), salt, rounds, KEY_LENGTH);
                lock = new ByPassphrase(rounds, salt);
            } else {
                ExportKey to = ExportKey.ofSubjectPublicKeyInfo(((BundleRecipient.Host) recipient).key());
                random.nextBytes(key);
                lock = new ByHost(to.raw(), sealed(key, to));
            }
            byte[] header = Layouts.encode(Header.class, new Header(MAGIC, VERSION, lock));
            byte[] sealed = Sealing.seal(key, header, content, random);
            int length = header.length + sealed.length + Sha256.LENGTH;
            if (length > InstanceBundle.LONGEST) {
                throw new IOException("a bundle of it would have " + length + " bytes, and only "
                        + InstanceBundle.LONGEST + " are read");
            }
            byte[] bundle = Arrays.copyOf(header, length);
            System.arraycopy(sealed, 0, bundle, header.length, sealed.length);
            System.arraycopy(Sha256.of(header, sealed), 0, bundle, length - Sha256.LENGTH, Sha256.LENGTH);
            return bundle;
        } finally {
            Secrets.zero(key);
        }
    }

    private static void requireStrength(byte[] phrase) throws IOException {
        if (phrase.length < BundleRecipient.Passphrase.SHORTEST) {
            throw new IOException("the pass phrase has " + phrase.length + " bytes; it needs "
                    + BundleRecipient.Passphrase.SHORTEST + ", for whoever has the bundle can try phrases unnoticed");
        }
    }

    private static byte[] sealed(byte[] key, ExportKey to) throws IOException {
        try {
            return Hpke.seal(to.raw(), KEY_PURPOSE, key);
        } catch (IllegalArgumentException e) {
            throw new IOException("the key of the host " + to.fingerprint() + " cannot be used: " + e.getMessage(), e);
        }
    }

    /**
     * Tells what opens a bundle.
     *
     * @return empty if the file is none
     * @throws IOException if it is one that is damaged, or of another version; the message says what is wrong with "it"
     */
    public static Optional<BundleLock> lock(byte[] file) throws IOException {
        if (!isBundle(file)) {
            return Optional.empty();
        }
        return Optional.of(parse(file).lock instanceof ByHost ? BundleLock.HOST : BundleLock.PASSPHRASE);
    }

    /**
     * Opens a bundle that is sealed with a pass phrase.
     *
     * @return the content; the caller zeroes it
     * @throws IOException if it does not open; the message says what is wrong with "it"
     */
    public static byte[] openWith(byte[] phrase, byte[] bundle) throws IOException {
        Parsed parsed = parse(bundle);
        if (!(parsed.lock instanceof ByPassphrase lock)) {
            throw new IOException("it is made for a host, and no pass phrase opens it");
        }
        if (lock.rounds < 1 || lock.rounds > MOST_ROUNDS) {
            throw new IOException("it wants " + lock.rounds + " rounds of PBKDF2 for its pass phrase; between 1 and "
                    + MOST_ROUNDS + " are done here");
        }
        byte[] key = Passphrase.pbkdf2Sha512(phrase, lock.salt, (int) lock.rounds, KEY_LENGTH);
        return open(key, parsed, "the pass phrase is wrong, or somebody has changed it");
    }

    /**
     * Opens a bundle that is made for this host.
     *
     * @param seed of this host's key; empty if it has none
     * @return the content; the caller zeroes it
     * @throws IOException if it does not open; the message says what is wrong with "it"
     */
    public static byte[] openHere(byte[] seed, byte[] bundle) throws IOException {
        Parsed parsed = parse(bundle);
        if (!(parsed.lock instanceof ByHost lock)) {
            throw new IOException("it is sealed with a pass phrase, and none was given");
        }
        ExportKey host = ExportKey.ofRaw(lock.host);
        if (seed.length == 0) {
            throw new IOException(
                    "it is made for host " + host.fingerprint() + ", and this one has no key for bundles yet");
        }
        ExportKey here = ExportKey.ofSeed(seed);
        if (!here.fingerprint().equals(host.fingerprint())) {
            throw new IOException("it is made for host " + host.fingerprint() + ", this is " + here.fingerprint());
        }
        String changed = "somebody has changed it: its authentication fails";
        try {
            return open(Hpke.open(seed, KEY_PURPOSE, lock.sealedKey), parsed, changed);
        } catch (AuthenticationException e) {
            throw new IOException(changed, e);
        }
    }

    /** Opens the content, and zeroes the key. */
    private static byte[] open(byte[] key, Parsed parsed, String otherwise) throws IOException {
        try {
            return Sealing.open(key, parsed.header, parsed.sealed);
        } catch (AuthenticationException e) {
            throw new IOException(otherwise, e);
        } finally {
            Secrets.zero(key);
        }
    }

    private static boolean isBundle(byte[] file) {
        return file.length >= MAGIC.length && Arrays.equals(file, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    private static Parsed parse(byte[] file) throws IOException {
        if (!isBundle(file)) {
            throw new IOException("it is no bundle that vtpm:export made");
        }
        if (file.length < SHORTEST || file.length > InstanceBundle.LONGEST) {
            throw new IOException(
                    "it has " + file.length + " bytes, which no bundle has: it is cut short, or something else");
        }
        try {
            int version = new ByteReader(file, MAGIC.length, file.length).u16();
            if (version != VERSION) {
                throw new IOException("its format has version " + version + ", and this program reads version "
                        + VERSION + " only: it comes from a newer one, or is damaged");
            }
            int end = file.length - Sha256.LENGTH;
            byte[] checksum = new Sha256().update(file, 0, end).digest();
            if (!Arrays.equals(checksum, 0, Sha256.LENGTH, file, end, file.length)) {
                throw new IOException("it is damaged or cut short: its checksum is wrong");
            }
            ByteReader in = new ByteReader(file, 0, end);
            Lock lock = Codec.of(Header.class).read(in).lock;
            return new Parsed(lock, Arrays.copyOf(file, in.position()), Arrays.copyOfRange(file, in.position(), end));
        } catch (CodecException e) {
            throw new IOException("it is none that this program made: " + e.getMessage(), e);
        }
    }
}
