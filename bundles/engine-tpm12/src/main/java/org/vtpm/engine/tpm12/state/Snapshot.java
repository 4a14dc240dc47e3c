package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Sha1;

/**
 * A running TPM, but for what is permanent.
 *
 * @param permanentDigest SHA-256 of the permanent part, as it was stored, that this goes with
 * @param clockNanos what the engine's clock showed; times in the state are on that clock
 * @param wallMillis what the calendar showed, in milliseconds since 1970: how long the TPM has been away is told from it
 */
public record Snapshot(
        @Fixed(32) byte[] permanentDigest,
        long clockNanos,
        long wallMillis,
        StClearState stClear,
        VolatileState volatiles) {
    public Snapshot {
        Sha1Thread thread = volatiles.sha1Thread();
        if (thread != null) {
            Sha1.resume(thread.suspended());
        }
        byte[] launch = volatiles.launch();
        if (launch != null) {
            Sha1.resume(launch);
        }
    }
}
