package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.util.Arrays;
import java.util.UUID;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.U16;

/**
 * What a record file and a state file begin with.
 *
 * @param magic which kind of file it is
 * @param version of the format, {@value #VERSION}
 * @param hostKey name of the host key that the file was made under
 * @param instanceHigh the more significant half of the instance's UUID
 * @param instanceLow the less significant half
 * @param generation 1 in an instance's first file, and one more with each change; 0 where all generations are meant
 */
record Header(
        @Fixed(MAGIC_LENGTH) byte[] magic,
        @U16 int version,
        @Fixed(HostKey.ID_LENGTH) byte[] hostKey,
        long instanceHigh,
        long instanceLow,
        long generation) {
    static final int MAGIC_LENGTH = 8;
    static final int VERSION = 1;

    /** The header of an instance's first file. */
    static Header first(String magic, HostKey hostKey, UUID instance) {
        return new Header(
                magic.getBytes(US_ASCII),
                VERSION,
                hostKey.id(),
                instance.getMostSignificantBits(),
                instance.getLeastSignificantBits(),
                1);
    }

    Header withGeneration(long other) {
        return new Header(magic, version, hostKey, instanceHigh, instanceLow, other);
    }

    /** Checks what can be said of a file before it is known to be authentic. */
    void check(String expectedMagic, HostKey expectedKey) throws IOException {
        checkFormat(magic, version, expectedMagic);
        if (!expectedKey.hasId(hostKey)) {
            throw new IOException("it was made under another host key, or is damaged");
        }
    }

    /** Checks, once the file is known to be authentic, that it lies where it belongs. */
    void checkInstance(UUID expected) throws IOException {
        UUID instance = new UUID(instanceHigh, instanceLow);
        if (!instance.equals(expected)) {
            throw new IOException("it belongs to another instance, " + instance);
        }
    }

    /** Checks the magic and the version that any file begins with. */
    static void checkFormat(byte[] magic, int version, String expectedMagic) throws IOException {
        if (!Arrays.equals(magic, expectedMagic.getBytes(US_ASCII))) {
            throw new IOException("it is not a file of this kind, or is damaged");
        }
        if (version != VERSION) {
            throw new IOException("it has version " + version + " of the format and this program knows version "
                    + VERSION + " only, or it is damaged");
        }
    }
}
