package org.vtpm.root.tpm12;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.tpm12.structure.StoredData;

class SealedBlobTest {
    private static final StorageRootKey SRK = new StorageRootKey(new byte[256], new byte[20]);
    private static final byte[] ENC_DATA = {1, 2, 3};

    private KeyPair operator;
    private Pcrs pcrs;

    @BeforeEach
    void makeKey() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        operator = generator.generateKeyPair();
        pcrs = Pcrs.of(Set.of(7, 0, 23));
    }

    /** As docs/root-tpm12.md describes them. */
    @Test
    void itsLayoutAndWhatIsSignedAreTheDocumentedOnes() throws Exception {
        byte[] key = operator.getPublic().getEncoded();
        byte[] values = new byte[60];
        values[59] = 9;
        byte[] composite = sha("SHA-1", HexFormat.of().parseHex("0003" + "810080" + "0000003c"), values);
        byte[] toSign = ByteBuffer.allocate(26 + 5 + 20)
                .put("vtpm root of trust tpm12 1".getBytes(US_ASCII))
                .put(HexFormat.of().parseHex("0003810080"))
                .put(composite)
                .array();
        assertThat(pcrs.toSign(values)).isEqualTo(toSign);

        byte[] signature = sign(toSign);
        ByteBuffer stored = ByteBuffer.allocate(4 + 4 + 54 + 4 + 3)
                .put(HexFormat.of().parseHex("00160000" + "00000036" + "0006" + "01" + "1f"))
                .put(HexFormat.of().parseHex("0003810080" + "0003810080"))
                .put(new byte[20])
                .put(composite)
                .putInt(ENC_DATA.length)
                .put(ENC_DATA);
        assertThat(stored.hasRemaining()).isFalse();
        ByteBuffer expected = ByteBuffer.allocate(4096)
                .put("VTPMT12S".getBytes(US_ASCII))
                .putShort((short) 1)
                .putShort((short) 20)
                .put(new byte[20])
                .put(new byte[256])
                .putInt(1 << 0 | 1 << 7 | 1 << 23)
                .putShort((short) key.length)
                .put(key)
                .put((byte) 1);
        for (byte[] field : List.of(values, signature, stored.array())) {
            expected.putShort((short) field.length).put(field);
        }
        byte[] body = Arrays.copyOf(expected.array(), expected.position());
        expected.put(sha("SHA-256", body));

        byte[] encoded = blob(key)
                .with(new SealedBlob.Copy(values, signature, data(values)))
                .encode();
        assertThat(encoded).isEqualTo(Arrays.copyOf(expected.array(), expected.position()));
        assertThat(SealedBlob.parse(encoded).encode()).isEqualTo(encoded);
    }

    @Test
    void whatIsDamagedForeignOrNewerIsTold() throws Exception {
        byte[] sealed = signed(new byte[60]).encode();
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= 1;
            String words = i < 8
                    ? "not sealed by a TPM 1.2 root of trust"
                    : i < 10 ? "start the software that sealed it" : "changed or damaged";
            assertThatThrownBy(() -> SealedBlob.parse(changed))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining(words);
        }
        for (int length = 0; length < sealed.length; length++) {
            byte[] cut = Arrays.copyOf(sealed, length);
            assertThatThrownBy(() -> SealedBlob.parse(cut)).isInstanceOf(RootOfTrustException.class);
        }
        byte[] longer = Arrays.copyOf(sealed, sealed.length + 1);
        assertThatThrownBy(() -> SealedBlob.parse(longer)).isInstanceOf(RootOfTrustException.class);
    }

    @Test
    void copiesForOtherStatesOrWithoutTheOperatorsSignatureDoNotCount() throws Exception {
        byte[] values = new byte[60];
        byte[] other = values.clone();
        other[0] = 1;
        byte[] key = operator.getPublic().getEncoded();
        byte[] unsigned = blob(key)
                .with(new SealedBlob.Copy(other, sign(pcrs.toSign(values)), data(other)))
                .encode();
        assertThatThrownBy(() -> SealedBlob.parse(unsigned))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("lacks the operator's signature");
        byte[] unfit = blob(key)
                .with(new SealedBlob.Copy(values, sign(pcrs.toSign(values)), data(other)))
                .encode();
        assertThatThrownBy(() -> SealedBlob.parse(unfit))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("not that of its copy");
        byte[] open = blob(key)
                .with(new SealedBlob.Copy(values, sign(pcrs.toSign(values)), new StoredData.Data(0, null, ENC_DATA)))
                .encode();
        assertThatThrownBy(() -> SealedBlob.parse(open))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("not that of its copy");
    }

    @Test
    void theNewestCopyComesFirstAndEachStateHasOne() throws Exception {
        SealedBlob blob = blob(operator.getPublic().getEncoded());
        for (int i = 0; i < 20; i++) {
            byte[] values = new byte[60];
            values[0] = (byte) (i % 10);
            blob = blob.with(new SealedBlob.Copy(values, new byte[] {(byte) i}, data(values)));
        }
        assertThat(blob.copies())
                .extracting(each -> (int) each.signature()[0])
                .containsExactly(19, 18, 17, 16, 15, 14, 13, 12);
    }

    private SealedBlob blob(byte[] key) {
        return SealedBlob.of(SRK, pcrs, key, List.of());
    }

    private SealedBlob signed(byte[] values) throws Exception {
        return blob(operator.getPublic().getEncoded())
                .with(new SealedBlob.Copy(values, sign(pcrs.toSign(values)), data(values)));
    }

    private StoredData data(byte[] values) {
        return new StoredData.Data12(0, pcrs.sealInfo(values), ENC_DATA);
    }

    private byte[] sign(byte[] message) throws Exception {
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(operator.getPrivate());
        signature.update(message);
        return signature.sign();
    }

    private static byte[] sha(String algorithm, byte[]... parts) throws Exception {
        MessageDigest digest = MessageDigest.getInstance(algorithm);
        for (byte[] part : parts) {
            digest.update(part);
        }
        return digest.digest();
    }
}
