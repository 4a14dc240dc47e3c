package org.vtpm.itests.fuzz;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.io.IOException;

/** Whole sessions of a guest: garbage, well-framed commands, authorised ones, loss of power. */
public final class CommandStream {
    private static final FuzzGuest GUEST = new FuzzGuest();

    private CommandStream() {}

    /** The fuzzer's entry. */
    public static void fuzzerTestOneInput(FuzzedDataProvider input) throws IOException {
        try (FuzzTpm tpm = GUEST.tpm()) {
            GUEST.work(tpm, input);
        }
    }
}
