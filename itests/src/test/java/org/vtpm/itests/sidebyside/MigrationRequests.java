package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.ONE_BYTE_SHORT;
import static org.vtpm.itests.sidebyside.Field.blob;
import static org.vtpm.itests.sidebyside.Field.bool;
import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.number16;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.sidebyside.Field.sizedBlob;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.util.List;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Structures;

/** Keys that leave their TPM, and maintenance (TPM Main Part 3, sections 11 and 12). */
final class MigrationRequests {
    private MigrationRequests() {}

    static List<Request> all() {
        byte[] digest = sha1(u8(1));
        return List.of(
                Request.of(
                        Ordinal.AUTHORIZE_MIGRATION_KEY,
                        Authority.OWNER_OIAP,
                        number16("migrationScheme", 1, 0, 2, 3, 4, 5, 6, 0xFFFF),
                        blob(
                                "migrationKey",
                                (probe, session) -> StockKey.MIGRATE.pair().pubkey())),
                createMigrationBlob(1),
                createMigrationBlob(2),
                Request.of(
                                Ordinal.CREATE_MIGRATION_BLOB,
                                Authority.MIGRATION_OIAP,
                                number16("migrationType", 1),
                                blob(
                                        "migrationKeyAuth",
                                        (probe, session) ->
                                                probe.stock().migration().destination()),
                                sizedBlob(
                                        "encData",
                                        (probe, session) -> probe.stock().encData(StockKey.SIGN)))
                        .withHandles(parent()),
                Request.of(
                                Ordinal.CONVERT_MIGRATION_BLOB,
                                Authority.SRK_OIAP,
                                sizedBlob(
                                        "inData",
                                        (probe, session) ->
                                                probe.stock().migration().toRoot()),
                                sizedBlob(
                                        "random",
                                        (probe, session) ->
                                                probe.stock().migration().random()))
                        .withHandles(parent()),
                Request.of(
                                Ordinal.MIGRATE_KEY,
                                Authority.KEY_OIAP,
                                blob(
                                        "pubKey",
                                        (probe, session) ->
                                                StockKey.STORAGE.pair().pubkey()),
                                sizedBlob(
                                        "inData",
                                        (probe, session) ->
                                                probe.stock().migration().toMigrate()))
                        .withHandles(Field.key("maKeyHandle", StockKey.MIGRATE)),
                Request.of(
                        Ordinal.CMK_APPROVE_MA,
                        Authority.OWNER_OIAP,
                        live(
                                "migrationAuthorityDigest",
                                (probe, session) -> sha1(Stock.Cmk.AUTHORITIES),
                                List.of(zeros()))),
                Request.of(
                        Ordinal.CMK_SET_RESTRICTIONS,
                        Authority.OWNER_OIAP,
                        number32("restriction", 0x80000000, 0, 1, 0x40000000, 0x08000000, 0x04000000, -1)),
                Request.of(
                        Ordinal.CMK_CREATE_TICKET,
                        Authority.OWNER_OIAP,
                        blob("verificationKey", (probe, session) -> Stock.Cmk.AUTHORITY.pubkey()),
                        live("signedData", (probe, session) -> digest, List.of(zeros())),
                        sizedBlob("signatureValue", (probe, session) -> Stock.Cmk.AUTHORITY.sign(digest))),
                Request.of(
                                Ordinal.CMK_CREATE_KEY,
                                Authority.SRK_OSAP,
                                encrypted("dataUsageAuth", Secrets.key()),
                                // Cut short, the first byte of the approval, which each TPM has its own of, counts the
                                // bytes of
                                // encData; some counts lead the reference on, to a boolean that is none.
                                blob("keyInfo", (probe, session) -> Stock.cmkTemplate())
                                        .without(ONE_BYTE_SHORT),
                                live(
                                        "migrationAuthorityApproval",
                                        (probe, session) -> probe.stock().cmk().approval(),
                                        List.of(zeros())),
                                live(
                                        "migrationAuthorityDigest",
                                        (probe, session) -> sha1(Stock.Cmk.AUTHORITIES),
                                        List.of(zeros())))
                        .withHandles(parent()),
                cmkCreateBlob(),
                Request.of(
                                Ordinal.CMK_CONVERT_MIGRATION,
                                Authority.SRK_OIAP,
                                blob(
                                        "restrictTicket",
                                        (probe, session) -> probe.stock().cmk().restrictTicket()),
                                blob(
                                        "sigTicket",
                                        (probe, session) -> probe.stock().cmk().sigTicket()),
                                blob(
                                        "migratedKey",
                                        (probe, session) -> probe.stock().cmk().travelling()),
                                sizedBlob("msaList", (probe, session) -> Stock.Cmk.AUTHORITIES),
                                sizedBlob(
                                        "random",
                                        (probe, session) -> probe.stock().cmk().random()))
                        .withHandles(parent()),
                Request.of(Ordinal.CREATE_MAINTENANCE_ARCHIVE, Authority.OWNER_OIAP, bool("generateRandom", true))
                        .after(MigrationRequests::loadManufacturersKey)
                        .inFewCases(),
                Request.of(Ordinal.LOAD_MAINTENANCE_ARCHIVE, Authority.OWNER_OIAP, counted("dataIn", new byte[16]))
                        .inFewCases(),
                Request.of(Ordinal.KILL_MAINTENANCE_FEATURE, Authority.OWNER_OIAP)
                        .inFewCases(),
                Request.of(
                                Ordinal.LOAD_MANU_MAINT_PUB,
                                opaque("antiReplay", zeros()),
                                blob(
                                        "pubKey",
                                        (probe, session) ->
                                                StockKey.STORAGE.pair().pubkey()))
                        .inFewCases(),
                Request.of(Ordinal.READ_MANU_MAINT_PUB, opaque("antiReplay", zeros()))
                        .after(MigrationRequests::loadManufacturersKey)
                        .inFewCases());
    }

    private static void loadManufacturersKey(Probe probe) throws IOException {
        probe.send(
                Ordinal.LOAD_MANU_MAINT_PUB,
                concat(zeros(), StockKey.STORAGE.pair().pubkey()));
    }

    private static Field parent() {
        return live(
                "parentHandle",
                (probe, session) -> u32(Structures.SRK),
                List.of(u32(0), u32(Structures.OWNER), u32(Structures.ENDORSEMENT_KEY), u32(0x00ABCDE0), u32(-1)));
    }

    private static Request createMigrationBlob(int type) {
        return Request.of(
                        Ordinal.CREATE_MIGRATION_BLOB,
                        Authority.SRK_OIAP,
                        number16("migrationType", type, 0, 1, 2, 3, 4, 5, 0xFFFF),
                        blob(
                                "migrationKeyAuth",
                                (probe, session) -> probe.stock().migration().destination()),
                        sizedBlob("encData", (probe, session) -> probe.stock().encData(StockKey.SIGN)))
                .and(Authority.MIGRATION_OIAP)
                .withHandles(parent())
                .labelled("of type " + type);
    }

    private static Request cmkCreateBlob() {
        return Request.of(
                        Ordinal.CMK_CREATE_BLOB,
                        Authority.SRK_OIAP,
                        number16("migrationType", 5, 0, 1, 2, 3, 4, 6, 0xFFFF),
                        blob(
                                "migrationKeyAuth",
                                (probe, session) -> probe.stock().cmk().destination()),
                        live(
                                "pubSourceKeyDigest",
                                (probe, session) ->
                                        Stock.sourceDigest(probe.stock().key(StockKey.CMK)),
                                List.of(zeros())),
                        sizedBlob("msaList", (probe, session) -> Stock.Cmk.AUTHORITIES),
                        sizedBlob(
                                "restrictTicket",
                                (probe, session) -> probe.stock().cmk().restrictTicket()),
                        sizedBlob(
                                "sigTicket",
                                (probe, session) -> probe.stock().cmk().sigTicket()),
                        sizedBlob("encData", (probe, session) -> probe.stock().encData(StockKey.CMK)))
                .withHandles(parent());
    }
}
