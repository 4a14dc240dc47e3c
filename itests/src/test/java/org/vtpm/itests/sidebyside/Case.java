package org.vtpm.itests.sidebyside;

import java.io.IOException;
import org.vtpm.itests.tpm12.TransportChannel;

/**
 * Something to do to both TPMs.
 *
 * @param name says what is done
 */
record Case(String name, Action action) {
    /** The same from another locality than 0. */
    Case at(int locality) {
        return new Case(name + ", at locality " + locality, probe -> {
            probe.locality(locality);
            action.run(probe);
        });
    }

    /** The same within a transport session, which is opened before and closed behind it. */
    Case in(TransportChannel.Kind kind) {
        return new Case(name + ", wrapped: " + kind, probe -> {
            probe.wrap(kind);
            action.run(probe);
            probe.unwrap();
        });
    }

    /** Does the same to each of the two; what it does depends on nothing but the answers. */
    @FunctionalInterface
    interface Action {
        void run(Probe probe) throws IOException;
    }
}
