package org.vtpm.api.endorsement;

import org.vtpm.api.engine.TpmModel;

/**
 * A certification authority for endorsement keys: what the maker of a hardware TPM has in the factory. Registered as a
 * service; the highest {@code service.ranking} among those that issue is used. Thread-safe.
 */
public interface EndorsementAuthority {
    /** A short name for operators, such as {@code local}. */
    String name();

    /** Whether new TPMs get certificates of this authority. */
    boolean issues();

    /**
     * Issues an endorsement credential (TCG Credential Profiles for TPM Family 1.2).
     *
     * @param publicKey the endorsement key, as the DER of an X.509 SubjectPublicKeyInfo
     * @param model which TPM the key is in
     * @return the DER of an X.509 certificate
     * @throws EndorsementException if there is no certificate to be had
     */
    byte[] certify(byte[] publicKey, TpmModel model) throws EndorsementException;

    /**
     * The authority's own certificate, which verifiers of its credentials have to trust.
     *
     * @return the DER of an X.509 certificate
     * @throws EndorsementException if the authority cannot be used
     */
    byte[] certificate() throws EndorsementException;
}
