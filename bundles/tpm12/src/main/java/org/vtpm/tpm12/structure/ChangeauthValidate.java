package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Secrets;

/**
 * TPM_CHANGEAUTH_VALIDATE (TPM Main Part 2, section 5.11): a new secret, encrypted for an ephemeral key.
 *
 * @param n1 what the TPM proves with that it took the secret
 */
public record ChangeauthValidate(
        @Fixed(20) byte[] newAuthSecret, @Fixed(20) byte[] n1) {
    /** Zeroes what is secret. */
    public void destroy() {
        Secrets.zero(newAuthSecret, n1);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "ChangeauthValidate[secret]";
    }
}
