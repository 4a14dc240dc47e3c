package org.vtpm.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** BigInteger says what is right. */
class LimbsTest {
    @Property(tries = 200)
    void bytesRoundTripWithoutLeadingZeros(@ForAll @Size(max = 40) byte[] bytes) {
        BigInteger number = new BigInteger(1, bytes);
        int[] limbs = Limbs.of(bytes);
        assertThat(number(limbs)).isEqualTo(number);
        assertThat(Limbs.bitLength(limbs)).isEqualTo(number.bitLength());
        assertThat(Limbs.bytes(limbs)).hasSize((number.bitLength() + 7) / 8);
    }

    @Property(tries = 200)
    void comparesAndMultiplies(@ForAll @Size(max = 40) byte[] a, @ForAll @Size(max = 40) byte[] b) {
        int[] product = Limbs.product(Limbs.of(a), Limbs.of(b));
        assertThat(number(product)).isEqualTo(new BigInteger(1, a).multiply(new BigInteger(1, b)));
        assertThat(Integer.signum(Limbs.compare(Limbs.of(a), Limbs.of(b))))
                .isEqualTo(new BigInteger(1, a).compareTo(new BigInteger(1, b)));
        assertThat(Limbs.compare(product, Limbs.of(Limbs.bytes(product)))).isZero();
    }

    @Property(tries = 200)
    void dividesWhatHasNoRemainder(
            @ForAll @Size(max = 40) byte[] quotient, @ForAll @Size(min = 1, max = 40) byte[] divisor) {
        divisor[divisor.length - 1] |= 1;
        int[] n = Limbs.product(Limbs.of(quotient), Limbs.of(divisor));
        assertThat(number(Limbs.exactQuotient(n, Limbs.of(divisor)))).isEqualTo(new BigInteger(1, quotient));
    }

    @Property(tries = 200)
    void smallDivisions(
            @ForAll @Size(max = 40) byte[] x,
            @ForAll @IntRange(min = 1) int factor,
            @ForAll @IntRange(min = 1) int divisor) {
        BigInteger number = new BigInteger(1, x);
        assertThat(Limbs.remainder(Limbs.of(x), divisor))
                .isEqualTo(number.mod(BigInteger.valueOf(divisor)).intValueExact());
        BigInteger expected =
                number.multiply(BigInteger.valueOf(factor)).add(BigInteger.ONE).divide(BigInteger.valueOf(divisor));
        assertThat(number(Limbs.timesPlusOneOver(Limbs.of(x), factor, divisor))).isEqualTo(expected);
    }

    @Property(tries = 200)
    void inverts(@ForAll @Size(max = 40) byte[] x, @ForAll @Size(min = 1, max = 40) byte[] modulus) {
        modulus[modulus.length - 1] |= 1;
        BigInteger m = new BigInteger(1, modulus);
        BigInteger reduced = new BigInteger(1, x).mod(m);
        Assume.that(m.compareTo(BigInteger.ONE) > 0);
        BigInteger expected = reduced.gcd(m).equals(BigInteger.ONE) ? reduced.modInverse(m) : BigInteger.ZERO;
        assertThat(number(Limbs.inverse(Limbs.of(reduced.toByteArray()), Limbs.of(modulus))))
                .isEqualTo(expected);
    }

    private static BigInteger number(int[] limbs) {
        return new BigInteger(1, Limbs.bytes(limbs));
    }
}
