package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;

/**
 * What QEMU's TIS device puts before each command: a big-endian 32-bit number with the locality in bits 31 to 29, and the
 * instance's number below.
 *
 * @param locality 0 to 7, of which a TPM has 0 to 4
 * @param instance 0 to {@link #MAX_INSTANCE}
 */
record HvmPrefix(int locality, long instance) {
    /** The greatest number that there is room for beside the locality. */
    static final long MAX_INSTANCE = 0x1FFFFFFF;

    /** The greatest locality that a TPM has. */
    static final int MAX_LOCALITY = 4;

    private static final int LOCALITY_SHIFT = 29;

    /** Of a frame. */
    static HvmPrefix of(byte[] frame) {
        int prefix = ByteBuffer.wrap(frame).getInt();
        return new HvmPrefix(prefix >>> LOCALITY_SHIFT, prefix & MAX_INSTANCE);
    }
}
