package org.vtpm.engine.tpm12.command;

import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.engine.tpm12.state.Sha1Thread;
import org.vtpm.engine.tpm12.state.State;
import org.vtpm.engine.tpm12.state.TransportSession;

/** What any command does to the TPM by being sent at all, even if it fails. */
final class Preparation {
    private static final Set<String> SHA1_THREAD = Set.of("SHA1Update", "SHA1Complete", "SHA1CompleteExtend");
    /** What it does to the SHA-1 thread depends on the command that is wrapped in it. */
    private static final String WRAPPER = "ExecuteTransport";

    private Preparation() {}

    /** Before a command that came from the guest. */
    static void run(Transaction tx, StateSink sink) throws IOException {
        if (!tx.command().name().equals(WRAPPER)) {
            endSha1Thread(tx);
        }
        if (!tx.command().usesTransport() && tx.stClear().transports().stream().anyMatch(TransportSession::exclusive)) {
            tx.stick(
                    (State state) -> state.withStClear(state.stClear().withoutTransports(TransportSession::exclusive)));
        }
        if (tx.volatiles().stateSaved()) {
            sink.save(Map.of(StateKind.SAVED, new byte[0]));
            tx.stick((State state) -> state.withVolatiles(state.volatiles().withStateSaved(false)));
        }
    }

    /** Before a command that came wrapped in another. */
    static void wrapped(Transaction tx) {
        endSha1Thread(tx);
    }

    /** It takes place outside of transport sessions or within a single one (TPM Main Part 3, section 13.1). */
    private static void endSha1Thread(Transaction tx) {
        Sha1Thread thread = tx.volatiles().sha1Thread();
        if (thread != null) {
            TransportSession transport = tx.transport();
            boolean same = thread.transport() == (transport == null ? 0 : transport.handle());
            if (!same || !SHA1_THREAD.contains(tx.command().name())) {
                tx.stick((State state) -> state.withVolatiles(state.volatiles().withSha1Thread(null)));
            }
        }
    }
}
