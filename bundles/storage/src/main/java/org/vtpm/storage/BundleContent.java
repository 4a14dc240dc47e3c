package org.vtpm.storage;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Secrets;
import org.vtpm.storage.key.Layouts;

/** The inside of a bundle: an instance's record, and what is durable of its state. */
final class BundleContent {
    private BundleContent() {}

    private record Layout(
            long uuidHigh,
            long uuidLow,
            long exportedSecond,
            @Sized byte[] record,
            @Rest byte[] state) {}

    /** Writes a bundle's content; the caller zeroes it. */
    static byte[] encode(InstanceRecord record, Instant exported, Map<StateKind, byte[]> state) throws IOException {
        UUID uuid = record.uuid();
        byte[] parts = StateParts.encode(state);
        try {
            return Layouts.encode(
                    Layout.class,
                    new Layout(
                            uuid.getMostSignificantBits(),
                            uuid.getLeastSignificantBits(),
                            exported.getEpochSecond(),
                            RecordLayout.encode(record),
                            parts));
        } finally {
            Secrets.zero(parts);
        }
    }

    /**
     * Reads what {@link #encode} wrote.
     *
     * @throws IOException if it is anything else; the message says what is wrong with "it"
     */
    static InstanceBundle decode(byte[] content) throws IOException {
        Layout layout = Layouts.decode(Layout.class, content);
        try {
            InstanceRecord record = RecordLayout.decode(layout.record, new UUID(layout.uuidHigh, layout.uuidLow));
            Instant exported = Instant.ofEpochSecond(layout.exportedSecond);
            return new InstanceBundle(record, exported, StateParts.decode(layout.state));
        } catch (DateTimeException e) {
            throw new IOException("the time of its export cannot be read: " + e.getMessage(), e);
        } finally {
            Secrets.zero(layout.state);
        }
    }
}
