package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.bool;
import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.number16;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.sidebyside.Field.sizedBlob;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** Contexts and transport sessions (TPM Main Part 3, sections 21, 24 and 28). */
final class SessionRequests {
    private SessionRequests() {}

    private static final int LOG = 2;

    static List<Request> all() {
        return List.of(
                Request.of(Ordinal.RESET),
                saveContext(Field.key("handle", StockKey.SIGN), Structures.RT_KEY)
                        .labelled("of a key"),
                saveContext(
                                live(
                                        "handle",
                                        (probe, session) -> u32(probe.oiap().handle()),
                                        List.of(u32(0))),
                                Structures.RT_AUTH)
                        .labelled("of a session"),
                saveContext(
                                live(
                                        "handle",
                                        (probe, session) ->
                                                u32(probe.transport().handle()),
                                        List.of(u32(0))),
                                Structures.RT_TRANS)
                        .after(probe -> probe.establishTransport(0))
                        .labelled("of a transport session"),
                loadContext(number32("entityHandle", 0, Structures.SRK), false)
                        .after(SessionRequests::saveKey)
                        .labelled("of a key"),
                loadContext(number32("entityHandle", 0, Structures.SRK), true)
                        .after(SessionRequests::saveSession)
                        .labelled("of a session"),
                loadContext(Field.key("entityHandle", StockKey.SIGN), false)
                        .after(SessionRequests::saveBoundSession)
                        .labelled("of a key's session"),
                Request.of(Ordinal.SAVE_KEY_CONTEXT).withHandles(Field.key("keyHandle", StockKey.SIGN)),
                Request.of(
                                Ordinal.LOAD_KEY_CONTEXT,
                                sizedBlob("keyContextBlob", (probe, session) -> probe.kept("context")))
                        .after(probe -> keepSized(
                                probe,
                                probe.send(Ordinal.SAVE_KEY_CONTEXT, u32(probe.loaded(StockKey.SIGN)), new byte[0]))),
                Request.of(Ordinal.SAVE_AUTH_CONTEXT)
                        .withHandles(live(
                                "authHandle",
                                (probe, session) -> u32(probe.oiap().handle()),
                                List.of(u32(0), u32(-1)))),
                Request.of(
                                Ordinal.LOAD_AUTH_CONTEXT,
                                sizedBlob("authContextBlob", (probe, session) -> probe.kept("context")))
                        .after(probe -> keepSized(
                                probe,
                                probe.send(
                                        Ordinal.SAVE_AUTH_CONTEXT,
                                        u32(probe.oiap().handle()),
                                        new byte[0]))),
                establishTransport(),
                establishEncrypted(),
                execute("PcrRead", command(Ordinal.PCR_READ, u32(8))),
                execute("DirRead", command(Ordinal.DIR_READ, u32(0))),
                execute("Extend of no PCR", command(Ordinal.EXTEND, concat(u32(77), zeros()))),
                execute("GetTicks", command(Ordinal.GET_TICKS, new byte[1])),
                execute("EstablishTransport", command(Ordinal.ESTABLISH_TRANSPORT, zeros())),
                execute("SaveState", command(Ordinal.SAVE_STATE, new byte[0])),
                execute("Init", command(Ordinal.INIT, new byte[0])),
                Request.of(Ordinal.RELEASE_TRANSPORT_SIGNED, Authority.KEY_OIAP, opaque("antiReplay", zeros()))
                        .and(Authority.TRANSPORT)
                        .withHandles(Field.key("keyHandle", StockKey.SIGN))
                        .after(probe -> probe.establishTransport(LOG)),
                Request.of(Ordinal.RELEASE_TRANSPORT_SIGNED, Authority.KEY_OIAP, opaque("antiReplay", zeros()))
                        .and(Authority.TRANSPORT)
                        .withHandles(Field.key("keyHandle", StockKey.SIGN))
                        .after(probe -> probe.establishTransport(0))
                        .labelled("without a log"),
                Request.of(Ordinal.RELEASE_TRANSPORT_SIGNED, Authority.TRANSPORT, opaque("antiReplay", zeros()))
                        .withHandles(Field.key("keyHandle", StockKey.SIGN_OPEN))
                        .after(probe -> probe.establishTransport(LOG)));
    }

    private static Request saveContext(Field handle, int type) {
        return Request.of(
                        Ordinal.SAVE_CONTEXT,
                        number32("resourceType", type, 0, 1, 2, 3, 4, 5, 6, 8, -1),
                        opaque("label", new byte[16]))
                .withHandles(handle);
    }

    private static Request loadContext(Field entity, boolean keepHandle) {
        return Request.of(
                        Ordinal.LOAD_CONTEXT,
                        bool("keepHandle", keepHandle),
                        sizedBlob("contextBlob", (probe, session) -> probe.kept("context")))
                .withHandles(entity);
    }

    private static void saveKey(Probe probe) throws IOException {
        save(probe, probe.loaded(StockKey.SIGN), Structures.RT_KEY);
    }

    private static void saveSession(Probe probe) throws IOException {
        save(probe, probe.oiap().handle(), Structures.RT_AUTH);
    }

    private static void saveBoundSession(Probe probe) throws IOException {
        int key = probe.loaded(StockKey.SIGN);
        save(probe, probe.osap(Structures.ET_KEY_HANDLE, key, Secrets.key()).handle(), Structures.RT_AUTH);
    }

    private static void save(Probe probe, int handle, int type) throws IOException {
        keepSized(probe, probe.send(Ordinal.SAVE_CONTEXT, u32(handle), concat(u32(type), new byte[16])));
    }

    private static void keepSized(Probe probe, Response saved) {
        if (saved.ok()) {
            probe.keep("context", Arrays.copyOfRange(saved.body(), 4, saved.body().length));
        }
    }

    private static Request establishTransport() {
        return Request.of(
                        Ordinal.ESTABLISH_TRANSPORT,
                        number16("tag", 0x1E, 0, 0x1F),
                        number32("transAttributes", 0, 1, 2, 3, 4, 7, 8, -1),
                        number32("algId", 0, 1, 6, 7, 0x0A),
                        number16("encScheme", 0, 1, 4, 5, 0xFF),
                        counted("secret", Secrets.transport(), 0, 19, 21))
                .withHandles(live(
                        "encHandle",
                        (probe, session) -> u32(Structures.NO_TRANSPORT_KEY),
                        List.of(u32(0), u32(Structures.SRK), u32(Structures.OWNER), u32(0x00ABCDE0))));
    }

    private static Request establishEncrypted() {
        byte[] secret = Structures.oaep(StockKey.LEGACY.pair().modulus(), concat(u16(0x1D), Secrets.transport()));
        return Request.of(
                        Ordinal.ESTABLISH_TRANSPORT,
                        Authority.KEY_OIAP,
                        number16("tag", 0x1E, 0, 0x1F),
                        number32("transAttributes", 1, 0, 2, 3, 4, 7, 8, -1),
                        number32("algId", 7, 0, 1, 6, 0x0A),
                        number16("encScheme", 1, 0, 2, 4, 5, 0xFF),
                        sizedBlob("secret", (probe, session) -> secret))
                .withHandles(Field.key("encHandle", StockKey.LEGACY));
    }

    private static byte[] command(Ordinal ordinal, byte[] parameters) {
        return Tpm12Client.frame(Tpm12Client.TAG_RQU_COMMAND, ordinal.code(), parameters);
    }

    private static Request execute(String what, byte[] command) {
        return Request.of(
                        Ordinal.EXECUTE_TRANSPORT,
                        Authority.TRANSPORT,
                        sizedBlob("wrappedCmd", (probe, session) -> command))
                .after(probe -> probe.establishTransport(0))
                .labelled("of " + what);
    }
}
