package org.vtpm.crypto;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Vectors: FIPS 180-4 examples ("abc", two blocks), RFC 2202 case 2, RFC 4231 case 2, RFC 5869 cases 1 and 3. */
class HashTest {
    private static final byte[] TWO_BLOCKS =
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".getBytes(US_ASCII);

    @Test
    void sha1OfPartsIsSha1OfTheirConcatenation() {
        assertThat(Sha1.of("a".getBytes(US_ASCII), new byte[0], "bc".getBytes(US_ASCII)))
                .isEqualTo(hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assertThat(Sha1.of(TWO_BLOCKS)).isEqualTo(hex("84983e441c3bd26ebaae4aa1f95129e5e54670f1"));
    }

    @Test
    void sha1StartsAnewAfterDigest() {
        Sha1 sha1 = new Sha1().update(TWO_BLOCKS);
        sha1.digest();
        assertThat(sha1.update(new byte[] {0, 'a', 'b', 'c', 0}, 1, 3).digest())
                .isEqualTo(hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
    }

    @Test
    void sha1ResumesWhereItWasSuspended() {
        for (int split = 0; split <= TWO_BLOCKS.length; split++) {
            byte[] state = new Sha1().update(TWO_BLOCKS, 0, split).suspend();
            assertThat(Sha1.resume(state)
                            .update(TWO_BLOCKS, split, TWO_BLOCKS.length - split)
                            .digest())
                    .isEqualTo(Sha1.of(TWO_BLOCKS));
        }
    }

    @Test
    void sha1RefusesStateThatIsNotItsOwn() {
        for (int length : new int[] {0, 3, 19, 32, 36}) {
            byte[] state = new byte[length];
            Arrays.fill(state, (byte) 0x7F);
            assertThatThrownBy(() -> Sha1.resume(state)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void sha256() {
        byte[] expected = hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        assertThat(Sha256.of(TWO_BLOCKS)).isEqualTo(expected);
        assertThat(new Sha256()
                        .update(TWO_BLOCKS, 0, 7)
                        .update(TWO_BLOCKS, 7, TWO_BLOCKS.length - 7)
                        .digest())
                .isEqualTo(expected);
    }

    @Test
    void hmac() {
        byte[] key = "Jefe".getBytes(US_ASCII);
        byte[] first = "what do ya want ".getBytes(US_ASCII);
        byte[] second = "for nothing?".getBytes(US_ASCII);
        assertThat(Hmac.sha1(key, first, second)).isEqualTo(hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
        assertThat(Hmac.sha256(key, first, second))
                .isEqualTo(hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    }

    @Test
    void hkdf() {
        assertThat(Hkdf.sha256(
                        hex("0b".repeat(22)), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42))
                .isEqualTo(hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
        assertThat(Hkdf.sha256(hex("0b".repeat(22)), new byte[0], new byte[0], 42))
                .isEqualTo(hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
