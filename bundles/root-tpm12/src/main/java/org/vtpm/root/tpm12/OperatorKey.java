package org.vtpm.root.tpm12;

import java.security.spec.InvalidKeySpecException;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.crypto.VerificationKey;

/** The public key that approves policies. A TPM 1.2 has no part in that: signatures are verified here. */
final class OperatorKey {
    private OperatorKey() {}

    /** Reads a SubjectPublicKeyInfo in DER. */
    static VerificationKey of(byte[] der) throws RootOfTrustException {
        try {
            return VerificationKey.ofSubjectPublicKeyInfo(der);
        } catch (InvalidKeySpecException e) {
            throw new RootOfTrustException("the operator's key cannot be used: " + e.getMessage(), e);
        }
    }
}
