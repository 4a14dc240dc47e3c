package org.vtpm.api.xen;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the backend serves.
 *
 * @param problem why it serves nobody, or null if it is ready
 * @param devices those that it knows, by domain and number
 */
public record XenReport(@Nullable String problem, List<XenDevice> devices) {
    public XenReport {
        devices = List.copyOf(devices);
    }
}
