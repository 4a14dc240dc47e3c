package org.vtpm.itests.sidebyside;

import java.io.IOException;

/**
 * Something to do to both TPMs.
 *
 * @param name says what is done
 */
record Case(String name, Action action) {
    /** Does the same to each of the two; what it does depends on nothing but the answers. */
    @FunctionalInterface
    interface Action {
        void run(Probe probe) throws IOException;
    }
}
