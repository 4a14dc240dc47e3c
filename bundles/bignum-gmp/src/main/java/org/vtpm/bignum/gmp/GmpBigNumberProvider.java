package org.vtpm.bignum.gmp;

import jnr.ffi.Pointer;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.propertytypes.ServiceRanking;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.bignum.RsaCrtKey;

/**
 * {@link BigNumberProvider} on GNU MP. Secret exponents go through {@code mpz_powm_sec}, whose time and memory accesses
 * depend on the lengths of its operands only. {@link GmpProbe} enables the component where the library is installed.
 */
@Component(name = GmpBigNumberProvider.COMPONENT, enabled = false)
@ServiceRanking(100)
public final class GmpBigNumberProvider implements BigNumberProvider {
    static final String COMPONENT = "org.vtpm.bignum.gmp.provider";

    /**
     * Of these, GMP spends the first 24 on a Baillie-PSW test and the rest on Miller-Rabin rounds. Five of those leave a
     * random 512-bit composite a chance of 2^-100 (FIPS 186-4, table C.2), longer ones less.
     */
    private static final int PRIMALITY_REPETITIONS = 24 + 5;

    private final LibGmp gmp;

    /**
     * Binds the library.
     *
     * @throws IllegalStateException if it is not installed; the message says what to do
     */
    @Activate
    public GmpBigNumberProvider() {
        this.gmp = LibGmp.load(LibGmp.SONAME);
    }

    @Override
    public String name() {
        return "gmp";
    }

    @Override
    public byte[] modPow(byte[] base, byte[] exponent, byte[] modulus) {
        try (Numbers numbers = new Numbers(gmp, 4, longest(base, exponent, modulus))) {
            Pointer m = numbers.variable(modulus);
            if (numbers.isZero(m)) {
                throw new ArithmeticException("the modulus is zero");
            }
            Pointer power = numbers.variable();
            gmp.__gmpz_powm(power, numbers.variable(base), numbers.variable(exponent), m);
            return numbers.value(power, modulus.length);
        }
    }

    @Override
    public byte[] modPowSecret(byte[] base, byte[] exponent, byte[] modulus) {
        try (Numbers numbers = new Numbers(gmp, 4, longest(base, exponent, modulus))) {
            Pointer m = numbers.variable(modulus);
            Pointer e = numbers.variable(exponent);
            if (!numbers.isOdd(m) || numbers.isZero(e)) {
                throw new ArithmeticException("a secret exponent must not be zero, and its modulus must be odd");
            }
            Pointer power = numbers.variable();
            gmp.__gmpz_powm_sec(power, numbers.variable(base), e, m);
            return numbers.value(power, modulus.length);
        }
    }

    @Override
    public byte[] rsaPrivate(byte[] input, RsaCrtKey key) {
        try (Numbers numbers = new Numbers(gmp, 9, longest(input, key.p(), key.q(), key.dp(), key.dq(), key.qInv()))) {
            Pointer p = numbers.variable(key.p());
            Pointer q = numbers.variable(key.q());
            Pointer dp = numbers.variable(key.dp());
            Pointer dq = numbers.variable(key.dq());
            if (!numbers.isOdd(p) || !numbers.isOdd(q) || numbers.isZero(dp) || numbers.isZero(dq)) {
                throw new ArithmeticException("RSA factors must be odd, and their exponents not zero");
            }
            Pointer x = numbers.variable(input);
            Pointer viaP = numbers.variable();
            Pointer viaQ = numbers.variable();
            gmp.__gmpz_powm_sec(viaP, x, dp, p);
            gmp.__gmpz_powm_sec(viaQ, x, dq, q);

            Pointer h = numbers.variable();
            gmp.__gmpz_sub(viaP, viaP, viaQ);
            gmp.__gmpz_mul(h, viaP, numbers.variable(key.qInv()));
            gmp.__gmpz_mod(h, h, p);
            gmp.__gmpz_addmul(viaQ, h, q);

            gmp.__gmpz_mul(h, p, q);
            return numbers.value(viaQ, numbers.length(h));
        }
    }

    @Override
    public byte[] nextPrime(byte[] start) {
        // One more byte: the next prime may be longer than the start.
        try (Numbers numbers = new Numbers(gmp, 1, start.length + 1)) {
            Pointer candidate = numbers.variable(start);
            gmp.__gmpz_sub_ui(candidate, candidate, 1);
            do {
                gmp.__gmpz_nextprime(candidate, candidate);
            } while (gmp.__gmpz_probab_prime_p(candidate, PRIMALITY_REPETITIONS) == 0);
            return numbers.value(candidate, numbers.length(candidate));
        }
    }

    private static int longest(byte[]... operands) {
        int longest = 0;
        for (byte[] operand : operands) {
            longest = Math.max(longest, operand.length);
        }
        return longest;
    }
}
