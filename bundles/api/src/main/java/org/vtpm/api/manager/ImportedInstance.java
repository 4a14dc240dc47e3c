package org.vtpm.api.manager;

import java.util.List;

/**
 * An instance whose TPM came from another program.
 *
 * @param instance as it is now
 * @param notes for the operator: what of the other program's state has no place here, one sentence each
 */
public record ImportedInstance(InstanceInfo instance, List<String> notes) {
    public ImportedInstance {
        notes = List.copyOf(notes);
    }
}
