package org.vtpm.bignum.gmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import jnr.ffi.Pointer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.vtpm.bignum.java.BigNumberConformance;
import org.vtpm.bignum.java.JavaBigNumberProvider;

/** Runs on a machine with libgmp10, as every machine that builds the product has. */
class GmpBigNumberProviderTest {
    @TestFactory
    Stream<DynamicTest> conforms() {
        return BigNumberConformance.of(new GmpBigNumberProvider());
    }

    @Test
    void agreesWithTheJavaProviderOnRandomNumbers() {
        GmpBigNumberProvider gmp = new GmpBigNumberProvider();
        JavaBigNumberProvider java = new JavaBigNumberProvider();
        Random random = new Random(4);
        for (int i = 0; i < 20; i++) {
            byte[] base = new byte[1 + random.nextInt(100)];
            byte[] exponent = new byte[1 + random.nextInt(100)];
            byte[] modulus = new byte[1 + random.nextInt(100)];
            random.nextBytes(base);
            random.nextBytes(exponent);
            random.nextBytes(modulus);
            modulus[modulus.length - 1] |= 1;
            exponent[0] |= 1;
            byte[] power = java.modPow(base, exponent, modulus);
            assertThat(gmp.modPow(base, exponent, modulus)).isEqualTo(power);
            assertThat(gmp.modPowSecret(base, exponent, modulus)).isEqualTo(power);
            assertThat(gmp.nextPrime(base)).isEqualTo(java.nextPrime(base));
        }
    }

    @Test
    void aMissingLibraryIsNamedWithItsCure() {
        assertThatThrownBy(() -> LibGmp.load("libgmp.so.99"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("libgmp.so.99")
                .hasMessageContaining("apt-get install libgmp10");
    }

    @Test
    void wipesOperandsAndResults() {
        LibGmp gmp = LibGmp.load(LibGmp.SONAME);
        byte[] secret = new byte[256];
        Arrays.fill(secret, (byte) 0xA5);
        try (Numbers numbers = new Numbers(gmp, 2, secret.length)) {
            Pointer operand = numbers.variable(secret);
            Pointer square = numbers.variable();
            gmp.__gmpz_mul(square, operand, operand);
            assertThat(limbs(operand, 32)).containsOnly(0xA5A5A5A5A5A5A5A5L);
            numbers.wipe();
            assertThat(limbs(operand, 32)).containsOnly(0);
            assertThat(limbs(square, 64)).containsOnly(0);
        }
    }

    private static long[] limbs(Pointer variable, int count) {
        long[] limbs = new long[count];
        variable.getPointer(8).get(0, limbs, 0, count);
        return limbs;
    }
}
