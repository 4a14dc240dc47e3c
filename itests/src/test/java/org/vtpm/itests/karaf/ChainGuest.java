package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import org.vtpm.itests.tpm12.Tpm12Client;

/** A guest that extends a PCR and holds each answer against a chain of its own. A lost or doubled command breaks it. */
final class ChainGuest implements AutoCloseable {
    private static final int PCR = 10;

    private final Tpm12Client tpm;
    private byte[] chain = zeros();
    private int length;

    /** @param tpm one that was just powered on */
    ChainGuest(Tpm12Client tpm) {
        this.tpm = tpm;
    }

    void extend() throws IOException {
        byte[] measurement = sha1(u32(length++));
        chain = sha1(chain, measurement);
        assertThat(tpm.extend(PCR, measurement).orFail().body())
                .as("PCR after " + length + " extensions")
                .isEqualTo(chain);
    }

    /** Reads the PCR, and fails unless it is what was extended into it. */
    void verify() throws IOException {
        assertThat(tpm.pcrRead(PCR).orFail().body())
                .as("PCR after " + length + " extensions")
                .isEqualTo(chain);
    }

    @Override
    public void close() {
        tpm.close();
    }
}
