package org.vtpm.api.manager;

import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.instance.InstanceRecord;

/**
 * An instance as it is at one moment.
 *
 * @param record what is remembered of it
 * @param state what it is doing
 * @param reason for people: why it failed or, while it runs, why no command can reach its engine now; else null
 * @param transport name of the transport that carries its commands now, or null while none does
 * @param endpoints its addresses and whether they are served
 * @param commands commands answered since it was started
 * @param pid the process of its engine, if it has one of its own
 */
public record InstanceInfo(
        InstanceRecord record,
        InstanceState state,
        @Nullable String reason,
        @Nullable String transport,
        List<EndpointInfo> endpoints,
        long commands,
        OptionalLong pid) {

    public InstanceInfo {
        endpoints = List.copyOf(endpoints);
    }
}
