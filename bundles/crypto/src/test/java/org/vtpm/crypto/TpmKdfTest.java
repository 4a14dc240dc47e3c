package org.vtpm.crypto;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.bouncycastle.crypto.agreement.kdf.ConcatenationKDFGenerator;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.KDFCounterBytesGenerator;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KDFCounterParameters;
import org.bouncycastle.crypto.params.KDFParameters;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against Bouncy Castle's generators of the NIST publications that TPM 2.0 refers to. */
class TpmKdfTest {
    private static final int COUNTER_BITS = 32;

    private final byte[] key = random(32);
    private final byte[] u = random(16);
    private final byte[] v = random(32);

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 31, 32, 33, 64, 100})
    void kdfaIsTheCounterModeOfSp800108(int length) {
        ByteBuffer fixed = ByteBuffer.allocate(4 + u.length + v.length + 4)
                .put("CFB\0".getBytes(US_ASCII))
                .put(u)
                .put(v)
                .putInt(8 * length);
        KDFCounterBytesGenerator generator = new KDFCounterBytesGenerator(new HMac(new SHA256Digest()));
        generator.init(new KDFCounterParameters(key, fixed.array(), COUNTER_BITS));
        byte[] expected = new byte[length];
        generator.generateBytes(expected, 0, length);
        assertThat(TpmKdf.a(key, "CFB", u, v, length)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 32, 33, 64, 100})
    void kdfeIsTheOneStepDerivationOfSp80056a(int length) {
        ByteBuffer other = ByteBuffer.allocate(7 + u.length + v.length)
                .put("SECRET\0".getBytes(US_ASCII))
                .put(u)
                .put(v);
        ConcatenationKDFGenerator generator = new ConcatenationKDFGenerator(new SHA256Digest());
        generator.init(new KDFParameters(key, other.array()));
        byte[] expected = new byte[length];
        generator.generateBytes(expected, 0, length);
        assertThat(TpmKdf.e(key, "SECRET", u, v, length)).isEqualTo(expected);
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }
}
