package org.vtpm.storage.journal;

import java.io.IOException;
import java.util.List;

/** A journal's file is not as it was written. Nothing on disk was changed. */
public final class JournalException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient List<Finding> findings;

    JournalException(List<Finding> findings) {
        super(findings.get(0) + (findings.size() > 1 ? " (and " + (findings.size() - 1) + " more)" : ""));
        this.findings = List.copyOf(findings);
    }

    /** What is wrong, at least one thing. */
    public List<Finding> findings() {
        return findings;
    }
}
