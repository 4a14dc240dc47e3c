package org.vtpm.api.manager;

import java.net.URI;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.instance.Isolation;

/**
 * What an instance shall have otherwise than in the bundle that it comes from; null leaves it as it is there.
 *
 * @param name as of {@link NewInstance}
 * @param uuid its identity
 * @param isolation where its engine shall run
 * @param startup what is done at each start
 * @param endpoints addresses to serve at once, in place of those on the other host; with none it is stopped
 */
public record BundleOrder(
        @Nullable String name,
        @Nullable UUID uuid,
        @Nullable Isolation isolation,
        @Nullable StartupMode startup,
        List<URI> endpoints) {

    public BundleOrder {
        endpoints = List.copyOf(endpoints);
    }
}
