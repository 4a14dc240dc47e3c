package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.journal.ItemKey;
import org.vtpm.storage.key.Sealing;

/** An instance's data key while it is in use: seals its state, bound to instance, kind, name and version. */
final class InstanceSeal implements AutoCloseable {
    private static final byte[] PURPOSE = "vtpm storage 2: state".getBytes(US_ASCII);

    private final byte[] dataKey;

    /** Takes a data key, which becomes this object's. */
    InstanceSeal(byte[] dataKey) {
        this.dataKey = dataKey;
    }

    byte[] seal(ItemKey item, long version, byte[] content, SecureRandom random) {
        return Sealing.seal(dataKey, aad(item, version), content, random);
    }

    /** Opens what {@link #seal} made; the caller zeroes it. */
    byte[] open(ItemKey item, long version, byte[] sealed) throws IOException {
        try {
            return Sealing.open(dataKey, aad(item, version), sealed);
        } catch (AuthenticationException e) {
            throw new IOException("it was changed, or belongs elsewhere: its authentication fails", e);
        }
    }

    @Override
    public void close() {
        Secrets.zero(dataKey);
    }

    private static byte[] aad(ItemKey item, long version) {
        byte[] name = item.name().getBytes(UTF_8);
        return ByteBuffer.allocate(PURPOSE.length + 3 * Long.BYTES + 1 + name.length)
                .put(PURPOSE)
                .putLong(item.owner().getMostSignificantBits())
                .putLong(item.owner().getLeastSignificantBits())
                .put((byte) item.kind())
                .putLong(version)
                .put(name)
                .array();
    }
}
