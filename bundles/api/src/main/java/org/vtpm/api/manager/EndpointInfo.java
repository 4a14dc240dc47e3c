package org.vtpm.api.manager;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * One guest-facing address of an instance, and whether it is served.
 *
 * @param uri the address
 * @param open whether guests can reach it now
 * @param problem why it is not open although the instance runs, or null
 */
public record EndpointInfo(URI uri, boolean open, @Nullable String problem) {}
