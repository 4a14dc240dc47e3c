package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.instance.Wanted;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Present;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.storage.key.Layouts;

/** How an instance's record lies in the journal: in clear, as the journal authenticates it. */
final class RecordLayout {
    private RecordLayout() {}

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

    static byte[] encode(InstanceRecord record) throws IOException {
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
        return Layouts.encode(Body.class, body);
    }

    /**
     * Reads a record.
     *
     * @param instance whose record it is
     * @throws IOException if it cannot be read; the message says what is wrong with "it"
     */
    static InstanceRecord decode(byte[] content, UUID instance) throws IOException {
        Body body = Layouts.decode(Body.class, content);
        try {
            List<URI> endpoints = new ArrayList<>();
            for (Text endpoint : body.endpoints) {
                endpoints.add(new URI(endpoint.toString()));
            }
            return new InstanceRecord(
                    instance,
                    body.name.toString(),
                    family(body.family),
                    isolation(body.isolation),
                    startup(body.startup),
                    body.transport == null ? null : body.transport.toString(),
                    endpoints,
                    wanted(body.wanted),
                    Instant.ofEpochSecond(body.createdSecond, body.createdNano));
        } catch (URISyntaxException | DateTimeException e) {
            throw new IOException("a value in it cannot be read: " + e.getMessage(), e);
        }
    }

    // The codes in the journal stay what they are when a constant is renamed or moved.

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
