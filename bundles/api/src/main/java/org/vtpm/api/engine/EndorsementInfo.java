package org.vtpm.api.engine;

import org.jspecify.annotations.Nullable;

/**
 * A TPM's endorsement, as its state holds it.
 *
 * @param publicKey the public endorsement key, as the DER of an X.509 SubjectPublicKeyInfo
 * @param certificate what lies where guests look for its certificate, without the wrapping it has there; the DER of an
 *     X.509 certificate unless the guest has overwritten it. Null if there is none, or the guest spoilt the wrapping
 */
public record EndorsementInfo(byte[] publicKey, byte @Nullable [] certificate) {}
