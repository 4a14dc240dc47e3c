package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.interfaces.XECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.crypto.Hpke;
import org.vtpm.crypto.Sha256;

class BundleSealTest {
    private static final byte[] PHRASE = "correct horse battery".getBytes(UTF_8);
    private static final byte[] CONTENT = "the content of a bundle".getBytes(UTF_8);
    private static final int ROUNDS = 100;

    private static final int VERSION = 8;
    private static final int LOCK = 10;
    private static final int ROUNDS_FIELD = 11;

    /** Where the sealed content begins. */
    private static final int PHRASE_HEADER = 11 + 4 + 32;

    private static final int HOST_HEADER = 11 + 32 + 80;

    private final SecureRandom random = new SecureRandom();
    private final byte[] seed = seed();

    private byte[] seed() {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] forPhrase() throws IOException {
        return BundleSeal.seal(new BundleRecipient.Passphrase(PHRASE), ROUNDS, CONTENT, random);
    }

    private byte[] forHost() throws IOException {
        byte[] key = ExportKey.ofSeed(seed).subjectPublicKeyInfo();
        return BundleSeal.seal(new BundleRecipient.Host(key), CONTENT, random);
    }

    /** As somebody would who changes a bundle on purpose. */
    private static byte[] withChecksum(byte[] bundle) {
        int end = bundle.length - Sha256.LENGTH;
        byte[] checksum = new Sha256().update(bundle, 0, end).digest();
        System.arraycopy(checksum, 0, bundle, end, checksum.length);
        return bundle;
    }

    @Test
    void aPassphraseOpensWhatItSealed() throws Exception {
        byte[] bundle = forPhrase();

        assertThat(BundleSeal.lock(bundle)).contains(BundleLock.PASSPHRASE);
        assertThat(BundleSeal.openWith(PHRASE, bundle)).isEqualTo(CONTENT);
        assertThat(new String(bundle, UTF_8)).startsWith("VTPMBNDL").doesNotContain("content");
        assertThat(bundle).hasSize(PHRASE_HEADER + Sealing.OVERHEAD + CONTENT.length + Sha256.LENGTH);
        assertThat(forPhrase()).as("salt and nonce are new each time").isNotEqualTo(bundle);
        assertThatThrownBy(() -> BundleSeal.openWith("correct horse batterz".getBytes(UTF_8), bundle))
                .hasMessageContaining("pass phrase is wrong");
        assertThatThrownBy(() -> BundleSeal.openHere(seed, bundle)).hasMessageContaining("none was given");
    }

    @Test
    void aHostOpensWhatWasMadeForIt() throws Exception {
        byte[] bundle = forHost();

        assertThat(BundleSeal.lock(bundle)).contains(BundleLock.HOST);
        assertThat(BundleSeal.openHere(seed, bundle)).isEqualTo(CONTENT);
        String host = ExportKey.ofSeed(seed).fingerprint();
        byte[] other = seed();
        assertThatThrownBy(() -> BundleSeal.openHere(other, bundle))
                .hasMessage("it is made for host " + host + ", this is "
                        + ExportKey.ofSeed(other).fingerprint());
        assertThatThrownBy(() -> BundleSeal.openHere(new byte[0], bundle))
                .hasMessageContaining(host)
                .hasMessageContaining("no key for bundles");
        assertThatThrownBy(() -> BundleSeal.openWith(PHRASE, bundle)).hasMessageContaining("made for a host");
    }

    @Test
    void everyChangedByteIsNoticedAsDamage() throws Exception {
        for (byte[] bundle : new byte[][] {forPhrase(), forHost()}) {
            for (int at = 0; at < bundle.length; at++) {
                for (int change : new int[] {1, 0x80}) {
                    byte[] changed = bundle.clone();
                    changed[at] ^= (byte) change;
                    String message = refusal(changed);
                    assertThat(message)
                            .as("byte " + at)
                            .contains(at < VERSION ? "no bundle" : at < LOCK ? "version" : "checksum is wrong");
                }
            }
        }
    }

    @Test
    void everyByteThatIsChangedOnPurposeIsNoticed() throws Exception {
        for (byte[] bundle : new byte[][] {forPhrase(), forHost()}) {
            for (int at = LOCK; at < bundle.length - Sha256.LENGTH; at++) {
                // Rounds could come to millions; they are changed below.
                boolean rounds = bundle[LOCK] == 1 && at >= ROUNDS_FIELD && at < ROUNDS_FIELD + 4;
                for (int change : rounds ? new int[0] : new int[] {1, 0x80}) {
                    byte[] changed = bundle.clone();
                    changed[at] ^= (byte) change;
                    assertThat(refusal(withChecksum(changed)))
                            .as("byte " + at)
                            .containsAnyOf(
                                    "none that this program made", "somebody has changed it", "is made for host");
                }
            }
        }
    }

    @Test
    void oneThatIsCutOrLongerIsNoticed() throws Exception {
        for (byte[] bundle : new byte[][] {forPhrase(), forHost()}) {
            for (int length = 0; length < bundle.length; length++) {
                assertThat(refusal(Arrays.copyOf(bundle, length)))
                        .as("length " + length)
                        .containsAnyOf("no bundle", "cut short");
                if (length >= 42) {
                    assertThat(refusal(withChecksum(Arrays.copyOf(bundle, length))))
                            .as("length " + length)
                            .containsAnyOf("none that this program made", "somebody has changed it");
                }
            }
            assertThat(refusal(Arrays.copyOf(bundle, bundle.length + 1))).contains("checksum");
            assertThat(refusal(withChecksum(Arrays.copyOf(bundle, bundle.length + 1))))
                    .contains("somebody has changed it");
        }
        assertThat(refusal(Arrays.copyOf(forHost(), InstanceBundle.LONGEST + 1)))
                .contains("which no bundle has");
    }

    /** What both ways of opening say. */
    private String refusal(byte[] bundle) throws IOException {
        BundleLock lock = BundleLock.PASSPHRASE;
        IOException told = null;
        try {
            lock = BundleSeal.lock(bundle).orElse(lock);
        } catch (IOException e) {
            told = e;
        }
        boolean here = lock == BundleLock.HOST;
        IOException refused = catchThrowableOfType(IOException.class, () -> open(bundle, here));
        if (told != null) {
            assertThat(refused).hasMessage(told.getMessage());
        }
        return refused.getMessage();
    }

    private byte[] open(byte[] bundle, boolean here) throws IOException {
        return here ? BundleSeal.openHere(seed, bundle) : BundleSeal.openWith(PHRASE, bundle);
    }

    @Test
    void somebodyElsesRoundsAreBounded() throws Exception {
        for (long rounds : new long[] {0, 10_000_001, 0xFFFF_FFFFL}) {
            byte[] changed = forPhrase();
            ByteBuffer.wrap(changed).putInt(ROUNDS_FIELD, (int) rounds);
            assertThatThrownBy(() -> BundleSeal.openWith(PHRASE, withChecksum(changed)))
                    .hasMessageContaining("it wants " + rounds + " rounds");
        }
        byte[] changed = forPhrase();
        ByteBuffer.wrap(changed).putInt(ROUNDS_FIELD, ROUNDS + 1);
        assertThatThrownBy(() -> BundleSeal.openWith(PHRASE, withChecksum(changed)))
                .hasMessageContaining("pass phrase is wrong");
    }

    @Test
    void aNewerVersionIsNamed() throws Exception {
        byte[] changed = forHost();
        changed[VERSION + 1] = 2;
        assertThatThrownBy(() -> BundleSeal.lock(withChecksum(changed)))
                .hasMessageContaining("version 2, and this program reads version 1");
        assertThat(BundleSeal.lock("no such thing".getBytes(UTF_8))).isEmpty();
    }

    @Test
    void unfitRecipientsAreRefused() {
        assertThatThrownBy(() -> seal(new BundleRecipient.Passphrase("elevenbytes".getBytes(UTF_8)), CONTENT))
                .hasMessageContaining("has 11 bytes; it needs 12");
        assertThatThrownBy(() -> seal(new BundleRecipient.Host(new byte[44]), CONTENT))
                .hasMessageContaining("vtpm:storage host-key");
        byte[] lowOrder = ExportKey.ofRaw(new byte[32]).subjectPublicKeyInfo();
        assertThatThrownBy(() -> seal(new BundleRecipient.Host(lowOrder), CONTENT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot be used");
        byte[] key = ExportKey.ofSeed(seed).subjectPublicKeyInfo();
        assertThatThrownBy(() -> seal(new BundleRecipient.Host(key), new byte[InstanceBundle.LONGEST]))
                .hasMessageContaining("only 4194304 are read");
    }

    private byte[] seal(BundleRecipient recipient, byte[] content) throws IOException {
        return BundleSeal.seal(recipient, ROUNDS, content, random);
    }

    /** By docs/export.md, with Java's own algorithms. */
    @Test
    void theFormatIsAsDocumented() throws Exception {
        byte[] bundle = forPhrase();
        ByteBuffer fields = ByteBuffer.wrap(bundle);
        byte[] magic = new byte[8];
        byte[] salt = new byte[32];
        fields.get(magic);
        assertThat(magic).asString(UTF_8).isEqualTo("VTPMBNDL");
        assertThat(fields.getShort()).isEqualTo((short) 1);
        assertThat(fields.get()).isEqualTo((byte) 1);
        int rounds = fields.getInt();
        fields.get(salt);
        char[] phrase = new String(PHRASE, UTF_8).toCharArray();
        byte[] key = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                .generateSecret(new PBEKeySpec(phrase, salt, rounds, 256))
                .getEncoded();
        assertThat(opened(bundle, fields.position(), key)).isEqualTo(CONTENT);

        bundle = forHost();
        assertThat(bundle[LOCK]).isEqualTo((byte) 2);
        byte[] sealedKey = Arrays.copyOfRange(bundle, HOST_HEADER - 80, HOST_HEADER);
        assertThat(Arrays.copyOfRange(bundle, LOCK + 1, HOST_HEADER - 80)).isEqualTo(Hpke.publicKey(seed));
        key = Hpke.open(seed, "vtpm bundle 1: content key".getBytes(UTF_8), sealedKey);
        assertThat(opened(bundle, HOST_HEADER, key)).isEqualTo(CONTENT);
    }

    private static byte[] opened(byte[] bundle, int header, byte[] key) throws Exception {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, bundle, header, 12));
        cipher.updateAAD(bundle, 0, header);
        int end = bundle.length - 32;
        assertThat(MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(bundle, end)))
                .isEqualTo(Arrays.copyOfRange(bundle, end, bundle.length));
        return cipher.doFinal(bundle, header + 12, end - header - 12);
    }

    @Test
    void theKeyIsOneThatOthersKnow() throws Exception {
        byte[] der = ExportKey.ofSeed(seed).subjectPublicKeyInfo();
        XECPublicKey key = (XECPublicKey) KeyFactory.getInstance("X25519").generatePublic(new X509EncodedKeySpec(der));
        assertThat(key.getEncoded()).isEqualTo(der);
        assertThat(ExportKey.ofSubjectPublicKeyInfo(der).fingerprint()).hasSize(64);
    }
}
