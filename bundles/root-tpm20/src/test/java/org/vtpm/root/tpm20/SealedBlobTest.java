package org.vtpm.root.tpm20;

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
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.root.RootOfTrustException;

class SealedBlobTest {
    private static final byte[] NONE = {};
    private static final byte[] ENDORSEMENT = new byte[34];
    private static final byte[] PRIVATE = {1, 2, 3};
    private static final byte[] STORAGE_KEY = Structures.encode(new Structures.StoragePublic(
            Structures.ALG_SHA256,
            0,
            NONE,
            Structures.ALG_AES,
            128,
            Structures.ALG_CFB,
            Structures.ALG_NULL,
            Structures.ECC_NIST_P256,
            Structures.ALG_NULL,
            new byte[32],
            new byte[32]));

    private KeyPair operator;
    private PcrPolicy pcrs;

    @BeforeEach
    void makeKey() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        operator = generator.generateKeyPair();
        pcrs = PcrPolicy.of(Set.of(7, 0, 23));
    }

    /** As docs/root-tpm20.md describes it. */
    @Test
    void itsLayoutIsTheDocumentedOne() throws Exception {
        byte[] key = operator.getPublic().getEncoded();
        byte[] object = object(key);
        byte[] values = new byte[96];
        byte[] signature = sign(pcrs.toSign(values));
        ByteBuffer expected =
                ByteBuffer.allocate(4096).put("VTPMT20S".getBytes(US_ASCII)).putShort((short) 1);
        for (byte[] field : List.of(ENDORSEMENT, STORAGE_KEY, object, PRIVATE)) {
            expected.putShort((short) field.length).put(field);
        }
        expected.putInt(1 << 0 | 1 << 7 | 1 << 23);
        expected.putShort((short) key.length).put(key);
        expected.put((byte) 1);
        expected.putShort((short) values.length).put(values);
        expected.putShort((short) signature.length).put(signature);
        byte[] body = Arrays.copyOf(expected.array(), expected.position());
        expected.put(MessageDigest.getInstance("SHA-256").digest(body));

        byte[] encoded =
                blob(key).with(new SealedBlob.Approved(values, signature)).encode();
        assertThat(encoded).isEqualTo(Arrays.copyOf(expected.array(), expected.position()));
        assertThat(SealedBlob.parse(encoded).encode()).isEqualTo(encoded);
    }

    @Test
    void whatIsDamagedForeignOrNewerIsTold() throws Exception {
        byte[] sealed = blob(operator.getPublic().getEncoded()).encode();
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= 1;
            String words = i < 8
                    ? "not sealed by a TPM 2.0 root of trust"
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
    void policiesWithoutTheOperatorsSignatureDoNotCount() throws Exception {
        byte[] values = new byte[96];
        byte[] signature = sign(pcrs.toSign(new byte[96]));
        values[0] = 1;
        byte[] sealed = blob(operator.getPublic().getEncoded())
                .with(new SealedBlob.Approved(values, signature))
                .encode();
        assertThatThrownBy(() -> SealedBlob.parse(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("lacks the operator's signature");
    }

    @Test
    void theNewestPolicyComesFirstAndEachStateHasOne() throws Exception {
        SealedBlob blob = blob(operator.getPublic().getEncoded());
        for (int i = 0; i < 20; i++) {
            byte[] values = new byte[96];
            values[0] = (byte) (i % 10);
            blob = blob.with(new SealedBlob.Approved(values, new byte[] {(byte) i}));
        }
        assertThat(blob.policies())
                .extracting(each -> (int) each.signature()[0])
                .containsExactly(19, 18, 17, 16, 15, 14, 13, 12);
        byte[] again = new byte[96];
        again[0] = 5;
        blob = blob.with(new SealedBlob.Approved(again, new byte[] {99}));
        assertThat(blob.policies())
                .extracting(each -> (int) each.signature()[0])
                .containsExactly(99, 19, 18, 17, 16, 14, 13, 12);
    }

    private SealedBlob blob(byte[] key) throws RootOfTrustException {
        return SealedBlob.of(ENDORSEMENT, STORAGE_KEY, object(key), PRIVATE, pcrs, key);
    }

    private static byte[] object(byte[] key) throws RootOfTrustException {
        return Structures.encode(new Structures.SealedPublic(
                Structures.ALG_SHA256,
                0,
                PcrPolicy.authorizeDigest(OperatorKey.of(key).name()),
                Structures.ALG_NULL,
                new byte[32]));
    }

    private byte[] sign(byte[] message) throws Exception {
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(operator.getPrivate());
        signature.update(message);
        return signature.sign();
    }
}
