package org.vtpm.api.root;

import java.util.List;

/**
 * What a root of trust found out about a blob without opening it.
 *
 * @param problems why the blob does not open, each with what to do about it; empty if it should open
 * @param differences PCRs that are not as in the approved policy that is nearest; empty if one is fulfilled
 * @param approved number of policies in the blob
 */
public record Examination(List<String> problems, List<PcrDifference> differences, int approved) {
    /** Copies what it gets. */
    public Examination {
        problems = List.copyOf(problems);
        differences = List.copyOf(differences);
    }

    /** Whether the blob should open now. */
    public boolean opens() {
        return problems.isEmpty();
    }

    /**
     * A PCR that is not as approved.
     *
     * @param now what is in it
     * @param approved what should be in it
     */
    public record PcrDifference(PcrValue now, PcrValue approved) {}
}
