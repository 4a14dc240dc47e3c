package org.vtpm.api.root;

/**
 * Binds a secret to this host. The sealed form may lie on disk for anyone to read; only the same root of trust, in a state
 * it approves of, opens it again. Registered as a service, ranked by {@code service.ranking}.
 */
public interface RootOfTrust {
    /** A short name for operators, such as {@code software}; stored beside what it sealed to find it again. */
    String name();

    /** Whether this root protects nothing from an attacker who can read the host's disk. */
    boolean developmentOnly();

    /**
     * Seals a secret to this host.
     *
     * @param secret up to 64 bytes; stays the caller's
     * @return an opaque blob for {@link #unseal}
     * @throws RootOfTrustException if the root cannot be reached or refuses
     */
    byte[] seal(byte[] secret) throws RootOfTrustException;

    /**
     * Opens what {@link #seal} made.
     *
     * @return the secret; the caller zeroes it
     * @throws RootOfTrustException if the blob is not this root's, was changed, or the host is in a state that the root
     *     does not approve of; the message says which and what to do
     */
    byte[] unseal(byte[] sealed) throws RootOfTrustException;
}
