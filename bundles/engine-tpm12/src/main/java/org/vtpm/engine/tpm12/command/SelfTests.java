package org.vtpm.engine.tpm12.command;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.VolatileState.SelfTest;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** The self-test of the parts a TPM stands on, against published answers. A failure lasts until the power is cut. */
public final class SelfTests {
    private static final byte[] MESSAGE = "abc".getBytes(StandardCharsets.US_ASCII);
    /** FIPS 180-4, example of a one-block message. */
    private static final byte[] MESSAGE_SHA1 = hex("a9993e364706816aba3e25717850c26c9cd0d89d");

    /** RFC 2202, section 3, test case 1. */
    private static final byte[] HMAC_KEY = hex("0b".repeat(20));

    private static final byte[] HMAC_DATA = "Hi There".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HMAC_SHA1 = hex("b617318655057264e28bc0b6fb378c8ef146be00");

    /** NIST SP 800-38A, section F.5.1, first block. */
    private static final byte[] AES_KEY = hex("2b7e151628aed2a6abf7158809cf4f3c");

    private static final byte[] AES_COUNTER = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    private static final byte[] AES_PLAIN = hex("6bc1bee22e409f96e93d7e117393172a");
    private static final byte[] AES_CIPHER = hex("874d6191b620e3261bef6864990db6ce");

    private SelfTests() {}

    /**
     * Runs all tests and records the outcome.
     *
     * @throws TpmException with FAILEDSELFTEST if one fails
     */
    public static void run(Transaction tx) {
        boolean passed = Arrays.equals(Sha1.of(MESSAGE), MESSAGE_SHA1)
                && Arrays.equals(Hmac.sha1(HMAC_KEY, HMAC_DATA), HMAC_SHA1)
                && Arrays.equals(AesCtr.apply(AES_KEY, AES_COUNTER, AES_PLAIN), AES_CIPHER)
                && !Arrays.equals(
                        tx.environment().random(Sha1.LENGTH), tx.environment().random(Sha1.LENGTH))
                && bigNumbers(tx.environment().bigNumbers().get());
        SelfTest outcome = passed ? SelfTest.PASSED : SelfTest.FAILED;
        tx.stick(state -> state.withVolatiles(state.volatiles().withSelfTest(outcome)));
        TpmException.require(passed, ReturnCode.FAILEDSELFTEST);
    }

    /** Fermat's little theorem at the Mersenne prime 2^127 - 1: 3^(p-1) is 1 modulo p. */
    private static boolean bigNumbers(BigNumberProvider provider) {
        BigInteger prime = BigInteger.TWO.pow(127).subtract(BigInteger.ONE);
        byte[] power =
                provider.modPow(new byte[] {3}, prime.subtract(BigInteger.ONE).toByteArray(), prime.toByteArray());
        return new BigInteger(1, power).equals(BigInteger.ONE);
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
