package org.vtpm.manager;

import java.io.IOException;
import java.util.Map;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;

/**
 * Where an engine stores state, until it is given up: one that comes back late must not write over what its successor has
 * stored.
 */
final class FencedSink implements StateSink {
    private final StateSink store;
    private volatile boolean cut;

    FencedSink(StateSink store) {
        this.store = store;
    }

    @Override
    public void save(Map<StateKind, byte[]> changes) throws IOException {
        if (cut) {
            throw new IOException("the engine was given up, so that nothing it does is stored any more");
        }
        store.save(changes);
    }

    /** Refuses all that comes from now on. */
    void cut() {
        cut = true;
    }
}
