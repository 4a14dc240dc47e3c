package org.vtpm.itests.fuzz;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StateKind;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.Wire;

/**
 * swtpm's state file as an operator may hand it over to be imported: refused with a reason, or a TPM that works. The input
 * is the file; since hardly any would have right lengths and digests, it is tried with them put right, too.
 */
public final class SwtpmState {
    private static final int LENGTH = 6;
    private static final int ENTRY_LENGTH = 12;
    private static final int CONTENT = 16;
    private static final int DIGEST = 20;

    private static final FuzzGuest GUEST = new FuzzGuest();
    private static final ForeignState.Key KEY = new ForeignState.Key(
            ForeignState.KeyForm.HEX, "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII));

    private SwtpmState() {}

    /** The fuzzer's entry. */
    public static void fuzzerTestOneInput(byte[] file) {
        run(new ForeignState(ForeignState.Format.SWTPM, file, null));
        run(new ForeignState(ForeignState.Format.SWTPM, file, KEY));
        if (file.length >= CONTENT + DIGEST) {
            run(new ForeignState(ForeignState.Format.SWTPM, putRight(file), null));
        }
    }

    private static void run(ForeignState foreign) {
        byte[] permanent;
        try {
            permanent = GUEST.factory().convert(foreign).permanent();
        } catch (EngineStateException e) {
            // The answer to a file that is not sound; anything else that is thrown is a fault.
            return;
        }
        try (FuzzTpm tpm = new FuzzTpm(GUEST.factory(), Map.of(StateKind.PERMANENT, permanent))) {
            byte[] startup = Tpm12Client.frame(Tpm12Client.TAG_RQU_COMMAND, 0x99, Wire.u16(Structures.ST_CLEAR));
            tpm.transmit(startup);
            tpm.powerCycle();
            tpm.transmit(startup);
        }
    }

    private static byte[] putRight(byte[] file) {
        byte[] right = file.clone();
        ByteBuffer header = ByteBuffer.wrap(right);
        header.putInt(LENGTH, right.length);
        header.putInt(ENTRY_LENGTH, right.length - CONTENT);
        byte[] digest = Wire.sha1(Arrays.copyOfRange(right, CONTENT, right.length - DIGEST));
        System.arraycopy(digest, 0, right, right.length - DIGEST, DIGEST);
        return right;
    }
}
