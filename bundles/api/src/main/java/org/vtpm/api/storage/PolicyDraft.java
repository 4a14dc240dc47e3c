package org.vtpm.api.storage;

import java.util.List;
import org.vtpm.api.root.PcrValue;

/**
 * A policy that is to be signed.
 *
 * @param values of the PCRs that it approves of, in ascending order
 * @param toSign what the operator's key signs with SHA-256
 */
public record PolicyDraft(List<PcrValue> values, byte[] toSign) {
    /** Copies what it gets. */
    public PolicyDraft {
        values = List.copyOf(values);
        toSign = toSign.clone();
    }
}
