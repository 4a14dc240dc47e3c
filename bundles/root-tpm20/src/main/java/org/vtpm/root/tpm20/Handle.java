package org.vtpm.root.tpm20;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.vtpm.crypto.Secrets;

/**
 * An entity in the TPM that a command works on.
 *
 * @param value its handle
 * @param name what authorizations cover in place of the handle
 * @param auth its authorization value, without trailing zeros as the TPM keeps it
 */
record Handle(int value, byte[] name, byte[] auth) implements AutoCloseable {
    /** TPM_RH_OWNER. */
    static final int OWNER = 0x40000001;

    /** TPM_RH_NULL. */
    static final int NULL = 0x40000007;

    /** TPM_RH_ENDORSEMENT. */
    static final int ENDORSEMENT = 0x4000000B;

    private static final byte[] NO_AUTH = {};

    /** An object or NV index. */
    static Handle named(int value, byte[] name, byte[] auth) {
        return new Handle(value, name, withoutTrailingZeros(auth));
    }

    /** An object without an authorization value. */
    static Handle named(int value, byte[] name) {
        return new Handle(value, name, NO_AUTH);
    }

    /** A hierarchy, or a session: its name is the handle. */
    static Handle bare(int value, byte[] auth) {
        return named(value, ByteBuffer.allocate(Integer.BYTES).putInt(value).array(), auth);
    }

    /** A hierarchy or session without an authorization value. */
    static Handle bare(int value) {
        return bare(value, NO_AUTH);
    }

    /** Zeroes the authorization value. */
    @Override
    public void close() {
        Secrets.zero(auth);
    }

    private static byte[] withoutTrailingZeros(byte[] auth) {
        int length = auth.length;
        while (length > 0 && auth[length - 1] == 0) {
            length--;
        }
        return Arrays.copyOf(auth, length);
    }
}
