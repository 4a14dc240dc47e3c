package org.vtpm.api.manager;

import java.net.URI;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.Isolation;

/**
 * An operator's order for a new instance.
 *
 * @param name 1 to 64 letters, digits, dots, dashes and underscores, starting with a letter or digit
 * @param uuid its identity, or null for a random one
 * @param family which TPM
 * @param isolation where its engine shall run, or null for the host's default
 * @param startup what is done at each start
 * @param endorsementKey whether it is made with an endorsement key, as parts from a factory are
 * @param endorsementCertificate whether that key gets a certificate, if the host has an authority that issues them
 * @param endpoints addresses to serve at once; with none it is created stopped
 */
public record NewInstance(
        String name,
        @Nullable UUID uuid,
        TpmFamily family,
        @Nullable Isolation isolation,
        StartupMode startup,
        boolean endorsementKey,
        boolean endorsementCertificate,
        List<URI> endpoints) {

    public NewInstance {
        endpoints = List.copyOf(endpoints);
    }
}
