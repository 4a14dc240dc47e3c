package org.vtpm.api.root;

import java.util.Optional;

/**
 * Binds a secret to this host. The sealed form may lie on disk for anyone to read; only the same root of trust, in a state
 * that the operator approved of, opens it again. Registered as a service, ranked by {@code service.ranking}. Methods are
 * thread-safe, and those that talk to a TPM take as long as it does: seconds, where it makes an RSA key.
 *
 * <p>A root that sees the host measured into PCRs opens what it sealed to them in the states of an approved {@linkplain
 * PlatformPolicies policy} only.
 */
public interface RootOfTrust {
    /** A short name for operators, such as {@code software}; stored beside what it sealed to find it again. */
    String name();

    /** Where the root is, for operators: a device, an address, a file. */
    String place();

    /** Whether this root protects nothing from an attacker who can read the host's disk. */
    boolean developmentOnly();

    /**
     * Seals a secret to this host. Where the terms name PCRs, the blob opens only when a policy is approved that the
     * host fulfils.
     *
     * @param secret 1 to 64 bytes; stays the caller's
     * @return an opaque blob for the other methods
     * @throws RootOfTrustException if the root cannot be reached, refuses, or cannot keep these terms
     */
    byte[] seal(byte[] secret, SealingTerms terms) throws RootOfTrustException;

    /**
     * Opens what {@link #seal} made.
     *
     * @return the secret; the caller zeroes it
     * @throws RootOfTrustException if the blob is not this root's, was changed, or the host is in a state that no approved
     *     policy allows; the message says which PCR or which object differs, and what to do
     */
    byte[] unseal(byte[] sealed) throws RootOfTrustException;

    /**
     * Seals a secret on the terms of a blob that need not open any more: another secret, or the same one when the root
     * itself became another, as a TPM that was cleared. Policies that were approved stay so where the root allows it.
     *
     * @param secret 1 to 64 bytes; stays the caller's
     * @param ownerAuth as in {@link SealingTerms}; no blob holds it
     * @return the blob that takes the place of the old one
     * @throws RootOfTrustException if the blob is not this root's, or as for {@link #seal}
     */
    byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) throws RootOfTrustException;

    /**
     * What a blob says of its terms and of the root that sealed it: all that {@link #reseal} takes over, but for approved
     * policies, which prove themselves. Who keeps it finds out if somebody changed it in the blob since.
     *
     * @return the same bytes for every blob of the same terms
     * @throws RootOfTrustException if the blob is not this root's
     */
    byte[] terms(byte[] sealed) throws RootOfTrustException;

    /** Looks whether a blob would open now, without opening it. What keeps it closed is in the answer, not thrown. */
    Examination examine(byte[] sealed);

    /** What approves of states of the host; nothing if this root cannot tell one from another, as a file. */
    Optional<PlatformPolicies> policies();

    /** The monotonic counters in this root's hardware; nothing if it has none, as a file. */
    Optional<MonotonicCounters> counters();
}
