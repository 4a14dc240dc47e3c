package org.vtpm.api.instance;

import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;

/**
 * What the manager remembers of an instance besides the TPM's own state. Not secret, but protected against change.
 *
 * @param uuid the instance's identity, never reused
 * @param name for operators; unique on a host
 * @param family which engine it needs
 * @param isolation where its engine runs
 * @param startup what is done at each start
 * @param transport the transport an operator chose for it, or null for the host's default
 * @param endpoints guest-facing addresses, in the order they were attached
 * @param wanted what operators want it to do
 * @param created when it was created
 */
public record InstanceRecord(
        UUID uuid,
        String name,
        TpmFamily family,
        Isolation isolation,
        StartupMode startup,
        @Nullable String transport,
        List<URI> endpoints,
        Wanted wanted,
        Instant created) {

    public InstanceRecord {
        endpoints = List.copyOf(endpoints);
    }
}
