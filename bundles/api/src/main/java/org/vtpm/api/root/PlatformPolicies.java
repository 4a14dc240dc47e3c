package org.vtpm.api.root;

import java.util.List;
import java.util.Set;

/**
 * Approves of the states of the host in which a root of trust opens a blob. The operator's key approves, so that the policy
 * for the state after an update of firmware or kernel can be signed before it, also on another machine.
 */
public interface PlatformPolicies {
    /**
     * Reads PCRs as they are now, in ascending order.
     *
     * @throws RootOfTrustException if the root lacks one of these, or cannot be reached
     */
    List<PcrValue> pcrs(Set<Integer> indices) throws RootOfTrustException;

    /**
     * Which PCRs are in a blob's terms.
     *
     * @throws RootOfTrustException if the blob is not this root's; that it has none in its terms is no error
     */
    Set<Integer> indices(byte[] sealed) throws RootOfTrustException;

    /**
     * What the operator's key has to sign so that a blob opens when PCRs have these values: the signature is over the
     * SHA-256 digest of these octets, RSASSA-PKCS1-v1_5 or ECDSA by the kind of the key.
     *
     * @param values one for each PCR in the blob's terms
     * @throws RootOfTrustException if the blob is not this root's or has no PCRs in its terms, or the values do not fit them
     */
    byte[] toSign(byte[] sealed, List<PcrValue> values) throws RootOfTrustException;

    /**
     * Adds an approved policy to a blob. Those that it had stay; a root may keep the latest few only.
     *
     * @param secret what is in the blob: a root that cannot check signatures in hardware seals it once more. Empty while
     *     nothing opens the blob: such a root then says so
     * @param signature of the operator's key over what {@link #toSign} says; ECDSA as DER
     * @return the blob that takes the place of the old one
     * @throws RootOfTrustException if the signature is not one of the key in the blob's terms, or as for {@link #toSign}
     */
    byte[] approve(byte[] sealed, byte[] secret, List<PcrValue> values, byte[] signature) throws RootOfTrustException;
}
