package org.vtpm.engine.tpm12.command;

import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.engine.tpm12.state.State;
import org.vtpm.engine.tpm12.state.VolatileState;

/** What any command does to the TPM by being sent at all, even if it fails. */
final class Preparation {
    private static final Set<String> SHA1_THREAD = Set.of("SHA1Update", "SHA1Complete", "SHA1CompleteExtend");

    private Preparation() {}

    static void run(Transaction tx, StateSink sink) throws IOException {
        VolatileState volatiles = tx.volatiles();
        if (volatiles.sha1Thread() != null && !SHA1_THREAD.contains(tx.command().name())) {
            change(tx, volatiles.withSha1Thread(null));
        }
        if (volatiles.stateSaved()) {
            sink.save(Map.of(StateKind.SAVED, new byte[0]));
            change(tx, tx.volatiles().withStateSaved(false));
        }
    }

    private static void change(Transaction tx, VolatileState to) {
        tx.stick((State state) -> state.withVolatiles(to));
    }
}
