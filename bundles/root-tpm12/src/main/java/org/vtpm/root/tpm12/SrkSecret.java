package org.vtpm.root.tpm12;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.crypto.Sha1;

/**
 * The authorization value of the TPM's storage root key: the well-known one, 20 zero bytes, or what is in a file.
 *
 * @param file its name, or empty for the well-known one
 */
record SrkSecret(String file) {
    /** The value; the caller zeroes it. */
    byte[] read() throws RootOfTrustException {
        if (file.isEmpty()) {
            return new byte[Sha1.LENGTH];
        }
        byte[] secret;
        try {
            secret = Files.readAllBytes(Path.of(file));
        } catch (IOException e) {
            throw new RootOfTrustException(
                    "the storage root key's secret cannot be read from " + file + " (" + e
                            + "): look at \"srk.auth\" of org.vtpm.root.tpm12",
                    e);
        }
        if (secret.length != Sha1.LENGTH) {
            throw new RootOfTrustException("the storage root key's secret in " + file + " has " + secret.length
                    + " bytes, but needs " + Sha1.LENGTH + ": the SHA-1 digest of the password, as tpm-tools make it");
        }
        return secret;
    }
}
