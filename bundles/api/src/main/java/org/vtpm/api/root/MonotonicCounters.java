package org.vtpm.api.root;

/**
 * Counters in hardware that can only be raised: what turns back the disk cannot turn back these. A counter is known by an
 * opaque identifier, and used by who knows its secret. Methods are thread-safe.
 */
public interface MonotonicCounters {
    /** Length in bytes of a counter's secret. */
    int SECRET_LENGTH = 20;

    /**
     * Makes a counter. Its first value is whatever the hardware decides.
     *
     * @param secret {@value #SECRET_LENGTH} bytes that using the counter needs; stays the caller's
     * @param ownerAuth authorization value of the TPM's owner (1.2) or owner hierarchy (2.0); empty if it has none
     * @return the identifier
     * @throws RootOfTrustException if the hardware has no room, or refuses
     */
    byte[] create(byte[] secret, byte[] ownerAuth) throws RootOfTrustException;

    /**
     * Reads a counter; the answer is authenticated, so that nobody between here and the hardware can forge it.
     *
     * @throws RootOfTrustException if there is no such counter any more, it is another's, or cannot be read
     */
    long read(byte[] counter, byte[] secret) throws RootOfTrustException;

    /**
     * Raises a counter by one. After a failure it is not known whether it was raised: read it.
     *
     * @return the new value
     * @throws RootOfTrustException as for {@link #read}, also if the hardware asks for a pause
     */
    long increment(byte[] counter, byte[] secret) throws RootOfTrustException;

    /**
     * Gives a counter up, so that its room in the hardware is free. Does nothing if it is gone.
     *
     * @throws RootOfTrustException if the hardware refuses
     */
    void release(byte[] counter, byte[] secret, byte[] ownerAuth) throws RootOfTrustException;
}
