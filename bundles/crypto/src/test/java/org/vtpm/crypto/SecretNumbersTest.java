package org.vtpm.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SecretNumbersTest {
    private final Random random = new Random(1);

    @Test
    void theyComputeAsBigIntegersDo() {
        for (int round = 0; round < 500; round++) {
            byte[] a = number();
            byte[] b = number();
            BigInteger x = new BigInteger(1, a);
            BigInteger y = new BigInteger(1, b);
            assertNumber(SecretNumbers.sum(a, b), Math.max(a.length, b.length) + 1, x.add(y));
            assertNumber(SecretNumbers.product(a, b), a.length + b.length, x.multiply(y));
            if (y.signum() != 0) {
                assertNumber(SecretNumbers.remainder(a, b), b.length, x.mod(y));
            }
        }
    }

    @Test
    void numbersThatAreAllOnesCarryToTheEnd() {
        byte[] ones = new byte[256];
        Arrays.fill(ones, (byte) 0xFF);
        BigInteger x = new BigInteger(1, ones);
        assertNumber(SecretNumbers.sum(ones, new byte[] {1}), 257, x.add(BigInteger.ONE));
        assertNumber(SecretNumbers.product(ones, ones), 512, x.multiply(x));
        assertNumber(SecretNumbers.remainder(SecretNumbers.product(ones, ones), ones), 256, BigInteger.ZERO);
    }

    @Test
    void nothingIsDividedByZero() {
        assertThatThrownBy(() -> SecretNumbers.remainder(new byte[] {1}, new byte[3]))
                .isInstanceOf(ArithmeticException.class);
    }

    /** Of any length up to 40 bytes, some with leading zeros, some with many ones. */
    private byte[] number() {
        byte[] bytes = new byte[random.nextInt(41)];
        random.nextBytes(bytes);
        switch (random.nextInt(4)) {
            case 0 -> Arrays.fill(bytes, 0, bytes.length / 2, (byte) 0);
            case 1 -> Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 0xFF);
            default -> {}
        }
        return bytes;
    }

    private static void assertNumber(byte[] actual, int length, BigInteger expected) {
        assertThat(actual).hasSize(length);
        assertThat(new BigInteger(1, actual)).isEqualTo(expected);
    }
}
