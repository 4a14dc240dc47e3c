package org.vtpm.engine.tpm12.foreign;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.vtpm.crypto.Sha1;

/** State files that swtpm wrote; see the README beside them. */
final class Samples {
    /** Length of swtpm's header and of the tag and length before the plain state. */
    static final int ENVELOPE = 16;

    private Samples() {}

    /** A whole file. */
    static byte[] file(String name) {
        try (InputStream in = Samples.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What libtpms wrote, from a file that is not encrypted. */
    static byte[] blob(String name) {
        byte[] file = file(name);
        return Arrays.copyOfRange(file, ENVELOPE, file.length);
    }

    /** The same with a right digest at its end. */
    static byte[] digested(byte[] blob) {
        int end = blob.length - Sha1.LENGTH;
        byte[] digest = new Sha1().update(blob, 0, end).digest();
        byte[] result = blob.clone();
        System.arraycopy(digest, 0, result, end, Sha1.LENGTH);
        return result;
    }
}
