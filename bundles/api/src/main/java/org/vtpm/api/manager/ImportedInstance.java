package org.vtpm.api.manager;

import java.util.List;

/**
 * An instance whose TPM came from another program or host.
 *
 * @param instance as it is now
 * @param notes for the operator: what did not come along, one sentence each
 */
public record ImportedInstance(InstanceInfo instance, List<String> notes) {
    public ImportedInstance {
        notes = List.copyOf(notes);
    }
}
