package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Present;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;

/**
 * What the file of an instance's record holds: the record in clear, and a tag over all of it.
 *
 * @param generation how often the record was stored
 */
record RecordFile(InstanceRecord record, long generation) {
    /** A file of more bytes is refused: far above the endpoints that any instance has. */
    static final int LIMIT = 1 << 20;

    private static final String MAGIC = "VTPMRECO";

    /** The file: what is authenticated, and the tag over it. */
    private record Tagged(
            Header header,
            @Sized byte[] body,
            @Fixed(HostKey.TAG_LENGTH) byte[] tag) {}

    private record Body(
            Text name,
            @U8 int family,
            @U8 int isolation,
            @U8 int startup,
            @Present @Nullable Text transport,
            @Counted(prefix = 2) List<Text> endpoints,
            @U8 int wanted,
            long createdSecond,
            int createdNano) {}

    private record Text(@Sized(prefix = 2) byte[] utf8) {
        static Text of(String text) {
            return new Text(text.getBytes(UTF_8));
        }

        @Override
        public String toString() {
            return new String(utf8, UTF_8);
        }
    }

    byte[] encode(HostKey key) throws IOException {
        @Nullable String transport = record.transport();
        Instant created = record.created();
        Body body = new Body(
                Text.of(record.name()),
                code(record.family()),
                code(record.isolation()),
                code(record.startup()),
                transport == null ? null : Text.of(transport),
                record.endpoints().stream().map(uri -> Text.of(uri.toString())).toList(),
                code(record.wanted()),
                created.getEpochSecond(),
                created.getNano());
        Header header = Header.first(MAGIC, key, record.uuid()).withGeneration(generation);
        Tagged open = new Tagged(header, Layouts.encode(Body.class, body), new byte[HostKey.TAG_LENGTH]);
        byte[] tag = tag(Layouts.encode(Tagged.class, open), key);
        byte[] file = Layouts.encode(Tagged.class, new Tagged(header, open.body, tag));
        if (file.length > LIMIT) {
            throw new IOException("a record of " + file.length + " bytes is too long to be stored");
        }
        return file;
    }

    /**
     * Checks and reads a record.
     *
     * @param instance whose record is expected
     * @throws IOException if it was changed, cut or is another instance's; the message says what is wrong with "it"
     */
    static RecordFile decode(byte[] file, HostKey key, UUID instance) throws IOException {
        Tagged tagged = Layouts.decode(Tagged.class, file);
        tagged.header.check(MAGIC, key);
        if (!Secrets.equal(tagged.tag, tag(file, key))) {
            throw new IOException("it is damaged or was changed: its authentication fails");
        }
        tagged.header.checkInstance(instance);
        Body body = Layouts.decode(Body.class, tagged.body);
        try {
            List<URI> endpoints = new ArrayList<>();
            for (Text endpoint : body.endpoints) {
                endpoints.add(new URI(endpoint.toString()));
            }
            InstanceRecord record = new InstanceRecord(
                    instance,
                    body.name.toString(),
                    family(body.family),
                    isolation(body.isolation),
                    startup(body.startup),
                    body.transport == null ? null : body.transport.toString(),
                    endpoints,
                    wanted(body.wanted),
                    Instant.ofEpochSecond(body.createdSecond, body.createdNano));
            return new RecordFile(record, tagged.header.generation());
        } catch (URISyntaxException | DateTimeException e) {
            throw new IOException("a value in it cannot be read: " + e.getMessage(), e);
        }
    }

    /** The tag over all of a file but the tag's own place at its end. */
    private static byte[] tag(byte[] file, HostKey key) {
        return key.recordTag(Arrays.copyOf(file, file.length - HostKey.TAG_LENGTH));
    }

    // The codes in the file stay what they are when a constant is renamed or moved.

    private static int code(TpmFamily family) {
        return switch (family) {
            case TPM_1_2 -> 0x12;
            case TPM_2_0 -> 0x20;
        };
    }

    private static TpmFamily family(int code) throws IOException {
        return switch (code) {
            case 0x12 -> TpmFamily.TPM_1_2;
            case 0x20 -> TpmFamily.TPM_2_0;
            default -> throw unknown("TPM family", code);
        };
    }

    private static int code(Isolation isolation) {
        return switch (isolation) {
            case SHARED -> 1;
            case PROCESS -> 2;
        };
    }

    private static Isolation isolation(int code) throws IOException {
        return switch (code) {
            case 1 -> Isolation.SHARED;
            case 2 -> Isolation.PROCESS;
            default -> throw unknown("isolation", code);
        };
    }

    private static int code(StartupMode startup) {
        return switch (startup) {
            case NONE -> 1;
            case CLEAR -> 2;
            case STATE -> 3;
            case DEACTIVATED -> 4;
        };
    }

    private static StartupMode startup(int code) throws IOException {
        return switch (code) {
            case 1 -> StartupMode.NONE;
            case 2 -> StartupMode.CLEAR;
            case 3 -> StartupMode.STATE;
            case 4 -> StartupMode.DEACTIVATED;
            default -> throw unknown("startup mode", code);
        };
    }

    private static int code(Wanted wanted) {
        return switch (wanted) {
            case STOPPED -> 0;
            case RUNNING -> 1;
            case SUSPENDED -> 2;
        };
    }

    private static Wanted wanted(int code) throws IOException {
        return switch (code) {
            case 0 -> Wanted.STOPPED;
            case 1 -> Wanted.RUNNING;
            case 2 -> Wanted.SUSPENDED;
            default -> throw unknown("wanted state", code);
        };
    }

    private static IOException unknown(String what, int code) {
        return new IOException("it names a " + what + " unknown to this program: " + code);
    }
}
