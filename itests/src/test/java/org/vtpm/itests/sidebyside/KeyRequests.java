package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.blob;
import static org.vtpm.itests.sidebyside.Field.bool;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.key;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.number16;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.number8;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.sidebyside.Field.sizedBlob;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.hmac;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;

/** Keys: made, loaded, read, kept, evicted, certified, and given other secrets (TPM Main Part 3, sections 10, 13, 17, 28). */
final class KeyRequests {
    private KeyRequests() {}

    static List<Request> all() {
        List<Request> all = new ArrayList<>(List.of(
                createWrapKey(Authority.SRK_OSAP),
                createWrapKey(Authority.SRK_OSAP_AES).labelled("with AES"),
                load(Ordinal.LOAD_KEY),
                load(Ordinal.LOAD_KEY2),
                Request.of(Ordinal.LOAD_KEY2, wrapped(StockKey.SIGN)).withHandles(parent()),
                Request.of(Ordinal.LOAD_KEY2, Authority.SRK_OIAP, wrapped(StockKey.IDENTITY))
                        .withHandles(parent())
                        .labelled("of an identity"),
                Request.of(Ordinal.LOAD_KEY2, Authority.SRK_OIAP, wrapped(StockKey.CMK))
                        .withHandles(parent())
                        .labelled("of a certifiable key"),
                Request.of(Ordinal.LOAD_KEY2, Authority.SRK_OIAP, wrapped(StockKey.REVISED))
                        .withHandles(parent())
                        .labelled("of a version with revisions"),
                Request.of(Ordinal.GET_PUB_KEY, Authority.KEY_OIAP).withHandles(key("keyHandle", StockKey.SIGN)),
                Request.of(Ordinal.GET_PUB_KEY, Authority.keyOsap(StockKey.SIGN))
                        .withHandles(key("keyHandle", StockKey.SIGN)),
                Request.of(Ordinal.GET_PUB_KEY, Authority.KEY_OIAP)
                        .withHandles(key("keyHandle", StockKey.BOUND))
                        .labelled("that is bound"),
                Request.of(Ordinal.GET_PUB_KEY).withHandles(key("keyHandle", StockKey.SIGN_OPEN)),
                Request.of(Ordinal.EVICT_KEY).withHandles(key("evictHandle", StockKey.SPARE)),
                Request.of(Ordinal.FLUSH_SPECIFIC, number32("resourceType", Structures.RT_KEY, 0, 2, 3, 4, 6))
                        .withHandles(key("handle", StockKey.SPARE))
                        .labelled("of a key"),
                Request.of(
                                Ordinal.KEY_CONTROL_OWNER,
                                Authority.OWNER_OIAP,
                                blob(
                                        "pubKey",
                                        (probe, session) ->
                                                StockKey.SPARE.pair().pubkey()),
                                number32("bitName", 1, 0, 2, -1),
                                bool("bitValue", true))
                        .withHandles(key("keyHandle", StockKey.SPARE)),
                changeAuth(StockKey.SIGN, Structures.ET_KEY),
                Request.of(
                                Ordinal.CHANGE_AUTH,
                                Authority.SRK_OSAP,
                                number16("protocolID", 4),
                                encrypted("newAuth", Secrets.key()),
                                number16("entityType", Structures.ET_DATA),
                                sizedBlob(
                                        "encData",
                                        (probe, session) ->
                                                Stock.tail(probe.stock().sealed())))
                        .and(Authority.DATA_OIAP)
                        .withHandles(parent())
                        .labelled("of data"),
                changeAuthAsymStart(),
                changeAuthAsymFinish()));
        for (StockKey certified : List.of(
                StockKey.BIND, StockKey.STORAGE, StockKey.MIGRATE, StockKey.BOUND, StockKey.FIXED, StockKey.CMK)) {
            all.add(Request.of(Ordinal.CERTIFY_KEY, Authority.KEY_OIAP, opaque("antiReplay", zeros()))
                    .and(Authority.KEY_OIAP)
                    .withHandles(key("certHandle", StockKey.SIGN), key("keyHandle", certified))
                    .labelled("of " + certified));
            all.add(Request.of(
                            Ordinal.CERTIFY_KEY2,
                            Authority.KEY_OIAP,
                            live(
                                    "migrationPubDigest",
                                    (probe, session) -> sha1(Stock.Cmk.AUTHORITIES),
                                    List.of(zeros())),
                            opaque("antiReplay", zeros()))
                    .and(Authority.KEY_OIAP)
                    .withHandles(key("keyHandle", certified), key("certHandle", StockKey.SIGN))
                    .labelled("of " + certified));
        }
        all.add(Request.of(Ordinal.CERTIFY_KEY, Authority.KEY_OIAP, opaque("antiReplay", zeros()))
                .and(Authority.KEY_OIAP)
                .withHandles(key("certHandle", StockKey.IDENTITY), key("keyHandle", StockKey.SIGN))
                .labelled("by an identity"));
        all.add(Request.of(Ordinal.CERTIFY_KEY, Authority.KEY_OIAP, opaque("antiReplay", zeros()))
                .withHandles(key("certHandle", StockKey.SIGN_OPEN), key("keyHandle", StockKey.SIGN))
                .labelled("by a key that is open"));
        all.add(Request.of(Ordinal.CERTIFY_KEY, opaque("antiReplay", zeros()))
                .withHandles(key("certHandle", StockKey.SIGN_OPEN), key("keyHandle", StockKey.SIGN_OPEN))
                .labelled("without authorization"));
        return all;
    }

    private static Field parent() {
        return live(
                "parentHandle",
                (probe, session) -> u32(Structures.SRK),
                List.of(u32(0), u32(Structures.OWNER), u32(Structures.ENDORSEMENT_KEY), u32(0x00ABCDE0), u32(-1)));
    }

    private static Field wrapped(StockKey key) {
        return blob("inKey", (probe, session) -> probe.stock().key(key));
    }

    private static Request createWrapKey(Authority authority) {
        List<Field> fields = new ArrayList<>();
        fields.add(encrypted("dataUsageAuth", Secrets.key()));
        fields.add(opaque("dataMigrationAuth", zeros()));
        fields.addAll(keyInfo(0x10, 0, 1, 2, 512));
        return Request.of(Ordinal.CREATE_WRAP_KEY, authority, fields.toArray(Field[]::new))
                .withHandles(parent());
    }

    /** The fields of a TPM_KEY that asks for a key. */
    static List<Field> keyInfo(int usage, int flags, int encScheme, int sigScheme, int bits) {
        return List.of(
                number32("ver", 0x01010000, 0, 0x01020000, 0x0101FFFF, 0x00280000, 0x00280001),
                number16("keyUsage", usage, 0, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0xFFFF),
                number32("keyFlags", flags, 1, 2, 4, 8, 0x10, 0x12, 0x20, -1),
                number8("authDataUsage", 1, 0, 2, 3, 0x11, 0xFF),
                number32("algorithmID", 1, 0, 2, 6, 0x0A, -1),
                number16("encScheme", encScheme, 0, 1, 2, 3, 4),
                number16("sigScheme", sigScheme, 0, 1, 2, 3, 4, 5),
                number32("parmSize", 12, 0, 8, 13, 0x1000, -1),
                number32("keyLength", bits, 0, 511, 513, 520, 1024, 4096, -1),
                number32("numPrimes", 2, 0, 1, 3, -1),
                number32("exponentSize", 0, 1, 3, -1),
                live(
                        "PCRInfo",
                        (probe, session) -> u32(0),
                        List.of(
                                sized(new byte[45]),
                                sized(concat(Structures.pcrSelection(3, 16), zeros(), zeros())),
                                sized(concat(Structures.pcrSelection(2, 1), zeros(), zeros())),
                                sized(concat(Structures.pcrSelection(4, 1), zeros(), zeros())),
                                sized(concat(
                                        u16(6),
                                        u8(0x1F),
                                        u8(0x1F),
                                        Structures.pcrSelection(3, 16),
                                        Structures.pcrSelection(3, 16),
                                        zeros(),
                                        zeros())),
                                u32(0x200),
                                u32(-1))),
                number32("pubKey.keyLength", 0, 0x200, -1),
                number32("encDataSize", 0, 0x200, -1));
    }

    private static Request load(Ordinal ordinal) {
        return Request.of(ordinal, Authority.SRK_OIAP, wrapped(StockKey.SIGN)).withHandles(parent());
    }

    private static Request changeAuth(StockKey changed, int entityType) {
        return Request.of(
                        Ordinal.CHANGE_AUTH,
                        Authority.SRK_OSAP,
                        number16("protocolID", 4, 0, 3, 5, 0xFFFF),
                        encrypted("newAuth", Secrets.key()),
                        number16("entityType", entityType, 0, 1, 2, 3, 4, 6, 0x0605, 0xFFFF),
                        sizedBlob("encData", (probe, session) -> probe.stock().encData(changed)))
                .and(Authority.KEY_OIAP)
                .withHandles(parent());
    }

    private static Request changeAuthAsymStart() {
        return Request.of(
                        Ordinal.CHANGE_AUTH_ASYM_START,
                        Authority.KEY_OIAP,
                        opaque("antiReplay", zeros()),
                        number32("algorithmID", 1, 0, 2, 6),
                        number16("encScheme", 3, 0, 1, 2, 4),
                        number16("sigScheme", 1, 0, 2),
                        number32("parmSize", 12, 0, 0x1000, -1),
                        number32("keyLength", 1024, 0, 512, -1),
                        number32("numPrimes", 2, 0, 1, 3),
                        number32("exponentSize", 0, 1, 3, -1))
                .withHandles(key("idHandle", StockKey.IDENTITY));
    }

    private static Request changeAuthAsymFinish() {
        byte[] newSecret = sha1(u8(1));
        return Request.of(
                        Ordinal.CHANGE_AUTH_ASYM_FINISH,
                        Authority.OWNER_OIAP,
                        number16("entityType", Structures.ET_KEY, 0, 1, 2, 3, 4, 0xFFFF),
                        live("newAuthLink", (probe, session) -> hmac(Secrets.key(), newSecret), List.of(zeros())),
                        sizedBlob("encNewAuth", (probe, session) -> probe.kept("encNewAuth")),
                        sizedBlob("encData", (probe, session) -> probe.stock().encData(StockKey.SIGN)))
                .withHandles(
                        parent(),
                        live(
                                "ephHandle",
                                (probe, session) ->
                                        probe.kept("ephHandle").length == 4 ? probe.kept("ephHandle") : u32(0x00ABCDEF),
                                List.of(u32(0), u32(Structures.SRK), u32(0x00ABCDE0))))
                .after(probe -> startChange(probe, newSecret));
    }

    private static void startChange(Probe probe, byte[] newSecret) throws IOException {
        int identity = probe.loaded(StockKey.IDENTITY);
        Response started = probe.send(
                Ordinal.CHANGE_AUTH_ASYM_START,
                u32(identity),
                concat(zeros(), Structures.rsaParms(3, 1, 1024)),
                Auth.once(probe.oiap(), Secrets.key()));
        if (started.ok()) {
            byte[] body = started.body();
            byte[] modulus = Arrays.copyOfRange(body, body.length - 4 - 128, body.length - 4);
            int handle = 4 + 7 + Structures.rsaParms(3, 1, 1024).length + 45 + 4 + 256;
            probe.keep("ephHandle", Arrays.copyOfRange(body, handle, handle + 4));
            probe.keep("encNewAuth", Structures.oaep(new BigInteger(1, modulus), concat(newSecret, probe.nonce())));
        }
    }
}
