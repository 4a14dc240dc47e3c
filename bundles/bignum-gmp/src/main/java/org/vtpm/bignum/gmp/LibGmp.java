package org.vtpm.bignum.gmp;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.types.size_t;
import jnr.ffi.types.u_int64_t;
import org.jspecify.annotations.Nullable;

/**
 * The functions of libgmp.so.10 in use, under the names that gmp.h's macros stand for. Each {@code Pointer} named like a
 * variable is an {@code mpz_t}. Public, because jnr-ffi makes the implementation in a class loader of its own.
 *
 * <p>GMP answers a wrong argument (an even modulus, say) with a signal that ends the process: check before the call.
 */
public interface LibGmp {
    /** Debian's libgmp10, and the same soname everywhere since GMP 5. */
    String SONAME = "libgmp.so.10";

    /**
     * Binds the library.
     *
     * @throws IllegalStateException if it is not installed or cannot be bound
     */
    static LibGmp load(String soname) {
        try {
            LibGmp gmp = LibraryLoader.create(LibGmp.class).failImmediately().load(soname);
            Runtime runtime = Runtime.getRuntime(gmp);
            if (runtime.addressSize() != Long.BYTES) {
                throw new IllegalStateException("GNU MP is used on 64-bit systems only");
            }
            return gmp;
        } catch (LinkageError | RuntimeException e) {
            // jnr-ffi adds lines on where it looked.
            String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
            throw new IllegalStateException(
                    soname + " is missing or cannot be used (" + why + "); on Debian: apt-get install libgmp10", e);
        }
    }

    void __gmpz_init2(Pointer x, @u_int64_t long bits);

    void __gmpz_clear(Pointer x);

    void __gmpz_import(
            Pointer rop, @size_t long count, int order, @size_t long size, int endian, @size_t long nails, Pointer op);

    Pointer __gmpz_export(
            Pointer rop,
            @Nullable Pointer count,
            int order,
            @size_t long size,
            int endian,
            @size_t long nails,
            Pointer op);

    @size_t
    long __gmpz_sizeinbase(Pointer op, int base);

    @size_t
    long __gmpz_size(Pointer op);

    int __gmpz_tstbit(Pointer op, @u_int64_t long bit);

    void __gmpz_sub(Pointer rop, Pointer a, Pointer b);

    void __gmpz_sub_ui(Pointer rop, Pointer a, @u_int64_t long b);

    void __gmpz_mul(Pointer rop, Pointer a, Pointer b);

    void __gmpz_addmul(Pointer rop, Pointer a, Pointer b);

    void __gmpz_mod(Pointer rop, Pointer a, Pointer m);

    void __gmpz_powm(Pointer rop, Pointer base, Pointer exponent, Pointer modulus);

    void __gmpz_powm_sec(Pointer rop, Pointer base, Pointer exponent, Pointer modulus);

    void __gmpz_nextprime(Pointer rop, Pointer op);

    int __gmpz_probab_prime_p(Pointer op, int reps);
}
