package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.key;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vtpm.itests.sidebyside.Stock.Delegation;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;

/**
 * What a TPM allows at some localities only: PCRs, sealed data, keys, NV areas, delegations, activation blobs and some
 * settings (TPM Main Part 2, chapters 8 and 19; TPM_LOCALITY_SELECTION is its section 8.6).
 */
final class LocalityRequests {
    /** What the labels of all of them end with. */
    static final String LABEL = "where locality matters";

    private static final int[] PCRS = {0, 15, 17, 18, 19, 20, 21, 22, 23};
    /** Each locality alone, and some together. */
    private static final int[] SELECTIONS = {1, 2, 4, 8, 0x10, 0x0A, 0x1E};

    private LocalityRequests() {}

    static List<Request> all() {
        List<Request> all = new ArrayList<>();
        all.addAll(integrity());
        all.addAll(sealed());
        all.addAll(keys());
        all.addAll(storage());
        all.addAll(delegations());
        return all.stream().map(request -> request.labelled(LABEL)).toList();
    }

    private static List<Request> integrity() {
        return List.of(
                Request.of(Ordinal.EXTEND, number32("pcrNum", 16, PCRS), opaque("inDigest", zeros())),
                Request.of(Ordinal.SHA1_COMPLETE_EXTEND, number32("pcrNum", 16, PCRS), counted("hashData", new byte[3]))
                        .after(probe -> probe.send(Ordinal.SHA1_START, new byte[0])),
                Request.of(
                        Ordinal.PCR_RESET,
                        live(
                                "pcrSelection",
                                (probe, session) -> Structures.pcrSelection(3, 16),
                                List.of(
                                        Structures.pcrSelection(3, 15),
                                        Structures.pcrSelection(3, 17),
                                        Structures.pcrSelection(3, 18),
                                        Structures.pcrSelection(3, 19),
                                        Structures.pcrSelection(3, 20),
                                        Structures.pcrSelection(3, 21),
                                        Structures.pcrSelection(3, 22),
                                        Structures.pcrSelection(3, 23),
                                        Structures.pcrSelection(3, 16, 20, 23),
                                        Structures.pcrSelection(3, 16, 17),
                                        Structures.pcrSelection(3, 20, 21, 22)))),
                setting(),
                setting(Authority.OWNER_OIAP));
    }

    private static Request setting(Authority... owner) {
        Field field = live("setting", (probe, session) -> Requests.setting(1, 17, u8(1)), Requests.settings());
        Request request = owner.length == 0
                ? Request.of(Ordinal.SET_CAPABILITY, field)
                : Request.of(Ordinal.SET_CAPABILITY, owner[0], field);
        return request.labelled("of everything");
    }

    private static List<Request> sealed() {
        List<Request> all = new ArrayList<>();
        for (Ordinal ordinal : List.of(Ordinal.SEAL, Ordinal.SEALX)) {
            all.add(Request.of(
                            ordinal,
                            Authority.SRK_OSAP,
                            encrypted("encAuth", Secrets.data()),
                            pcrInfo("pcrInfo", 0x1F),
                            counted("inData", u8(1)))
                    .withHandles(storageRoot("keyHandle")));
        }
        for (int localities : SELECTIONS) {
            all.add(Request.of(Ordinal.UNSEAL, Authority.SRK_OIAP, kept("sealed"))
                    .and(Authority.DATA_OIAP)
                    .withHandles(storageRoot("parentHandle"))
                    .after(probe -> seal(probe, localities))
                    .labelled("from 0x%x".formatted(localities)));
        }
        all.add(Request.of(
                        Ordinal.ACTIVATE_IDENTITY,
                        Authority.KEY_OIAP,
                        live("blob", (probe, session) -> sized(activation(probe, 0x0A)), List.of()))
                .and(Authority.OWNER_OIAP)
                .withHandles(key("idKeyHandle", StockKey.IDENTITY)));
        return all;
    }

    /** Seals something at locality 0. */
    private static void seal(Probe probe, int localities) throws IOException {
        int here = probe.locality();
        probe.locality(0);
        Session session = probe.osap(Structures.ET_SRK, Structures.SRK, Secrets.srk());
        Response sealed = probe.send(
                Ordinal.SEALX,
                u32(Structures.SRK),
                concat(session.encrypt(Secrets.data()), sized(info(localities)), sized(session.encrypt(zeros()))),
                Auth.once(session, Secrets.srk()));
        if (sealed.ok()) {
            probe.keep("sealed", sealed.body());
        }
        probe.locality(here);
    }

    /** TPM_EK_BLOB with TPM_EK_BLOB_ACTIVATE (TPM Main Part 2, sections 12.1 and 12.2), encrypted for the endorsement key. */
    private static byte[] activation(Probe probe, int localities) {
        byte[] sessionKey = concat(u32(6), u16(0xFF), u16(16), new byte[16]);
        byte[] where = Structures.pcrInfoShort(Structures.pcrSelection(3), localities, zeros());
        byte[] activate = concat(u16(0x2B), sessionKey, sha1(probe.stock().identity()), where);
        return probe.encryptForEk(concat(u16(0x0C), u16(1), sized(activate)));
    }

    private static List<Request> keys() {
        List<Request> all = new ArrayList<>();
        Field nonce = opaque("antiReplay", zeros());
        for (StockKey key : List.of(StockKey.LOCAL_SIGN, StockKey.LOCAL_READABLE)) {
            all.addAll(List.of(
                    by(key, Ordinal.SIGN, counted("areaToSign", zeros())),
                    by(key, Ordinal.GET_PUB_KEY),
                    by(key, Ordinal.QUOTE, nonce, opaque("targetPCR", Structures.pcrSelection(3, 0))),
                    by(
                            key,
                            Ordinal.QUOTE2,
                            nonce,
                            opaque("targetPCR", Structures.pcrSelection(3, 0)),
                            opaque("addVersion", u8(0))),
                    by(key, Ordinal.TICK_STAMP_BLOB, nonce, opaque("digestToStamp", zeros())),
                    Request.of(Ordinal.CERTIFY_KEY, Authority.KEY_OIAP, nonce)
                            .and(Authority.KEY_OIAP)
                            .withHandles(key("certHandle", StockKey.SIGN), key("keyHandle", key))
                            .labelled("of " + key),
                    Request.of(Ordinal.CERTIFY_KEY, Authority.KEY_OIAP, nonce)
                            .and(Authority.KEY_OIAP)
                            .withHandles(key("certHandle", key), key("keyHandle", StockKey.SIGN))
                            .labelled("by " + key),
                    Request.of(Ordinal.CERTIFY_KEY2, Authority.KEY_OIAP, opaque("migrationPubDigest", zeros()), nonce)
                            .and(Authority.KEY_OIAP)
                            .withHandles(key("keyHandle", key), key("certHandle", StockKey.SIGN))
                            .labelled("of " + key),
                    Request.of(Ordinal.SIGN, Authority.keyOsap(key), counted("areaToSign", zeros()))
                            .withHandles(key("keyHandle", key))
                            .labelled("in a session of " + key)));
        }
        byte[] transportSecret =
                Structures.oaep(StockKey.LOCAL_LEGACY.pair().modulus(), concat(u16(0x1D), Secrets.transport()));
        byte[] bound =
                Structures.oaep(StockKey.LOCAL_LEGACY.pair().modulus(), concat(u32(0x01010000), u8(2), u16(0x1234)));
        all.addAll(List.of(
                Request.of(
                                Ordinal.SEAL,
                                Authority.keyOsap(StockKey.LOCAL_STORAGE),
                                encrypted("encAuth", Secrets.data()),
                                pcrInfo("pcrInfo", 0x1F),
                                counted("inData", u8(1)))
                        .withHandles(key("keyHandle", StockKey.LOCAL_STORAGE))
                        .labelled("by " + StockKey.LOCAL_STORAGE),
                createKey("of a TPM_KEY12", storageRoot("parentHandle"), Authority.SRK_OSAP),
                createKey(
                        "below " + StockKey.LOCAL_STORAGE,
                        key("parentHandle", StockKey.LOCAL_STORAGE),
                        Authority.keyOsap(StockKey.LOCAL_STORAGE)),
                by(StockKey.LOCAL_LEGACY, Ordinal.UNBIND, counted("inData", bound)),
                by(
                        StockKey.LOCAL_LEGACY,
                        Ordinal.ESTABLISH_TRANSPORT,
                        opaque("transPublic", concat(u16(0x1E), u32(1), u32(7), u16(1))),
                        counted("secret", transportSecret)),
                Request.of(Ordinal.SAVE_CONTEXT, number32("resourceType", 1), opaque("label", new byte[16]))
                        .withHandles(key("handle", StockKey.LOCAL_SIGN)),
                Request.of(Ordinal.SAVE_KEY_CONTEXT).withHandles(key("keyHandle", StockKey.LOCAL_SIGN))));
        return all;
    }

    private static Request by(StockKey key, Ordinal ordinal, Field... fields) {
        return Request.of(ordinal, Authority.KEY_OIAP, fields)
                .withHandles(key("keyHandle", key))
                .labelled("by " + key);
    }

    private static Request createKey(String label, Field parent, Authority authority) {
        byte[] head = concat(u32(0x00280000), u16(0x10), u32(0), u8(1), Structures.rsaParms(1, 2, 512));
        return Request.of(
                        Ordinal.CREATE_WRAP_KEY,
                        authority,
                        encrypted("dataUsageAuth", Secrets.key()),
                        opaque("dataMigrationAuth", zeros()),
                        opaque("keyInfo", head),
                        pcrInfo("PCRInfo", 0x1F),
                        opaque("pubKey", u32(0)),
                        opaque("encData", u32(0)))
                .withHandles(parent)
                .labelled(label);
    }

    private static List<Request> storage() {
        int owners = Structures.NV_PER_OWNERREAD | Structures.NV_PER_OWNERWRITE;
        int withSecret = Structures.NV_PER_AUTHREAD | Structures.NV_PER_AUTHWRITE;
        Field index = opaque("nvIndex", u32(Secrets.FREE_INDEX));
        Field[] read = {index, number32("offset", 0), number32("dataSize", Secrets.AREA_SIZE)};
        Field[] write = {index, number32("offset", 0), counted("data", u16(0x1234), 0)};
        List<Request> all = new ArrayList<>();
        for (int localities : SELECTIONS) {
            all.addAll(List.of(
                    Request.of(Ordinal.NV_READ_VALUE, Authority.OWNER_OIAP, read)
                            .after(probe -> define(probe, owners, localities, 0x1F)),
                    Request.of(Ordinal.NV_WRITE_VALUE, Authority.OWNER_OIAP, write)
                            .after(probe -> define(probe, owners, 0x1F, localities)),
                    Request.of(Ordinal.NV_READ_VALUE_AUTH, Authority.AREA, read)
                            .after(probe -> define(probe, withSecret, localities, 0x1F)),
                    Request.of(Ordinal.NV_WRITE_VALUE_AUTH, Authority.AREA, write)
                            .after(probe -> define(probe, withSecret, 0x1F, localities)),
                    Request.of(Ordinal.NV_READ_VALUE, read)
                            .after(probe -> define(probe, Structures.NV_PER_OWNERWRITE, localities, 0x1F)),
                    Request.of(Ordinal.NV_WRITE_VALUE, write)
                            .after(probe -> define(probe, 0, localities, localities))));
        }
        List<Request> labelled = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            labelled.add(all.get(i).labelled("of an area for 0x%x".formatted(SELECTIONS[i / 6])));
        }
        return labelled;
    }

    private static void define(Probe probe, int attributes, int reading, int writing) throws IOException {
        byte[] none = Structures.pcrSelection(3);
        byte[] area = Structures.nvPublic(
                Secrets.FREE_INDEX,
                Structures.pcrInfoShort(none, reading, zeros()),
                Structures.pcrInfoShort(none, writing, zeros()),
                attributes,
                Secrets.AREA_SIZE);
        Session owner = probe.osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner());
        probe.send(
                Ordinal.NV_DEFINE_SPACE,
                concat(area, owner.encrypt(Secrets.area())),
                Auth.once(owner, Secrets.owner()));
    }

    private static List<Request> delegations() {
        return List.of(
                Request.of(
                        Ordinal.OWNER_READ_INTERNAL_PUB,
                        Authority.ownersDelegate(Delegation.OWNER_LOCAL),
                        number32("keyHandle", Structures.SRK)),
                Request.of(Ordinal.SIGN, Authority.keysDelegate(Delegation.KEY_LOCAL), counted("areaToSign", zeros()))
                        .withHandles(key("keyHandle", StockKey.SIGN)),
                Request.of(
                        Ordinal.DELEGATE_VERIFY_DELEGATION,
                        live(
                                "delegation",
                                (probe, session) -> sized(probe.stock().delegation(Delegation.OWNER_LOCAL)),
                                List.of())),
                Request.of(
                                Ordinal.OWNER_READ_INTERNAL_PUB,
                                Authority.OWNER_OIAP_AS_DELEGATE,
                                number32("keyHandle", Structures.SRK))
                        .after(LocalityRequests::pointToRow)
                        .labelled("by a row"));
    }

    /** Has whoever speaks for the owner use a row of the table that counts at localities 1 and 3. */
    private static void pointToRow(Probe probe) throws IOException {
        probe.send(
                Ordinal.DELEGATE_LOAD_OWNER_DELEGATION,
                concat(u32(1), sized(probe.stock().delegation(Delegation.OWNER_LOCAL))),
                Auth.once(probe.oiap(), Secrets.owner()));
        probe.send(Ordinal.SET_OWNER_POINTER, concat(u16(Structures.ET_DEL_ROW), u32(1)));
    }

    private static Field storageRoot(String name) {
        return live(name, (probe, session) -> u32(Structures.SRK), List.of());
    }

    /** A TPM_PCR_INFO_LONG that names no PCR, but localities. */
    private static Field pcrInfo(String name, int localities) {
        List<byte[]> others = new ArrayList<>(Arrays.stream(SELECTIONS)
                .mapToObj(LocalityRequests::info)
                .map(info -> sized(info))
                .toList());
        others.add(sized(info(0)));
        others.add(sized(info(0x20)));
        byte[] noCreation = info(localities);
        noCreation[2] = 0;
        others.add(sized(noCreation));
        return live(name, (probe, session) -> sized(info(localities)), others);
    }

    private static byte[] info(int localities) {
        return Structures.pcrInfoLong(Structures.pcrSelection(3), localities, zeros());
    }

    private static Field kept(String name) {
        return live(name, (probe, session) -> probe.kept(name), List.of());
    }
}
