package org.vtpm.bignum.gmp;

import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * The {@code mpz_t} variables of one computation. They have room for its largest product from the start, because GMP frees
 * a variable's old limbs unwiped when it grows; closing wipes the limbs before they are freed. What GMP keeps on its stack
 * while it computes is out of reach.
 */
final class Numbers implements AutoCloseable {
    /** {@code struct { int alloc; int size; mp_limb_t *limbs; }}, part of GMP's binary interface. */
    private static final int MPZ_SIZE = 16;

    private static final int LIMBS_OFFSET = 8;
    private static final int MOST_SIGNIFICANT_FIRST = 1;

    private final LibGmp gmp;
    private final Pointer variables;
    private final Pointer bytes;
    private final int capacity;
    private int used;

    /**
     * Room for some variables.
     *
     * @param count how many at most
     * @param capacity length in bytes of the longest operand; a variable has room for a product of two
     */
    Numbers(LibGmp gmp, int count, int capacity) {
        this.gmp = gmp;
        this.capacity = Math.max(capacity, 1);
        Runtime runtime = Runtime.getRuntime(gmp);
        this.variables = Memory.allocateDirect(runtime, count * MPZ_SIZE);
        this.bytes = Memory.allocateDirect(runtime, 2 * this.capacity);
    }

    /** A new variable, zero. */
    Pointer variable() {
        Pointer variable = variables.slice((long) used * MPZ_SIZE, MPZ_SIZE);
        gmp.__gmpz_init2(variable, 2L * Byte.SIZE * capacity + 2 * Long.SIZE);
        used++;
        return variable;
    }

    /** A new variable of this value. */
    Pointer variable(byte[] unsigned) {
        Pointer variable = variable();
        bytes.put(0, unsigned, 0, unsigned.length);
        gmp.__gmpz_import(variable, unsigned.length, MOST_SIGNIFICANT_FIRST, 1, 0, 0, bytes);
        return variable;
    }

    /** The value of a variable that is not negative and fits. */
    byte[] value(Pointer variable, int length) {
        byte[] unsigned = new byte[length];
        int count = length(variable);
        gmp.__gmpz_export(bytes, null, MOST_SIGNIFICANT_FIRST, 1, 0, 0, variable);
        bytes.get(0, unsigned, length - count, count);
        return unsigned;
    }

    /** How many bytes a variable's value has. */
    int length(Pointer variable) {
        return isZero(variable) ? 0 : (int) ((gmp.__gmpz_sizeinbase(variable, 2) + 7) / 8);
    }

    boolean isZero(Pointer variable) {
        return gmp.__gmpz_size(variable) == 0;
    }

    boolean isOdd(Pointer variable) {
        return gmp.__gmpz_tstbit(variable, 0) != 0;
    }

    /** Overwrites all that the variables hold or held. */
    void wipe() {
        for (int i = 0; i < used; i++) {
            Pointer variable = variables.slice((long) i * MPZ_SIZE, MPZ_SIZE);
            long allocated = variable.getInt(0);
            variable.getPointer(LIMBS_OFFSET).setMemory(0, allocated * Long.BYTES, (byte) 0);
        }
        bytes.setMemory(0, 2L * capacity, (byte) 0);
    }

    @Override
    public void close() {
        wipe();
        for (; used > 0; used--) {
            gmp.__gmpz_clear(variables.slice((used - 1L) * MPZ_SIZE, MPZ_SIZE));
        }
    }
}
