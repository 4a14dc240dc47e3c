package org.vtpm.api.root;

import java.util.Set;

/**
 * What a secret is sealed to, beside the root of trust itself.
 *
 * @param pcrs indices of the PCRs that an approved policy gives values for; empty if the state of the host does not matter
 * @param operatorKey the public key that approves policies, a DER SubjectPublicKeyInfo of an RSA key of 2048 bits or an EC
 *     key on P-256; empty if there are no PCRs
 * @param ownerAuth authorization value of the TPM's owner (1.2, 20 bytes) or owner hierarchy (2.0); empty if it has none
 * @param takeOwnership whether a TPM 1.2 without an owner gets one, with {@code ownerAuth}
 */
public record SealingTerms(Set<Integer> pcrs, byte[] operatorKey, byte[] ownerAuth, boolean takeOwnership) {
    /** To the root of trust itself, and nothing else. */
    public static final SealingTerms NONE = new SealingTerms(Set.of(), new byte[0], new byte[0], false);

    /** Copies what it gets. */
    public SealingTerms {
        pcrs = Set.copyOf(pcrs);
        operatorKey = operatorKey.clone();
        ownerAuth = ownerAuth.clone();
    }
}
