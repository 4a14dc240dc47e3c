package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.bool;
import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.number16;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.sidebyside.Field.sizedBlob;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.util.ArrayList;
import java.util.List;
import org.vtpm.itests.sidebyside.Stock.Delegation;
import org.vtpm.itests.tpm12.Ordinal;

/** What keys sign: digests, PCRs, ticks, audits and capabilities; and identities (TPM Main Part 3, sections 8, 13, 15, 16, 23). */
final class SigningRequests {
    private SigningRequests() {}

    static List<Request> all() {
        List<Request> all = new ArrayList<>();
        for (StockKey key : List.of(StockKey.SIGN, StockKey.SIGN_INFORMATION)) {
            all.add(sign(Authority.KEY_OIAP, key));
            all.add(Request.of(
                            Ordinal.QUOTE,
                            Authority.KEY_OIAP,
                            opaque("externalData", zeros()),
                            number16("sizeOfSelect", 3, 0, 1, 2, 4, 0xFFFF),
                            opaque("pcrSelect", new byte[] {1, 0, 1}))
                    .withHandles(Field.key("keyHandle", key))
                    .labelled("with " + key));
            all.add(Request.of(
                            Ordinal.QUOTE2,
                            Authority.KEY_OIAP,
                            opaque("externalData", zeros()),
                            number16("sizeOfSelect", 3, 0, 1, 2, 4, 0xFFFF),
                            opaque("pcrSelect", new byte[] {1, 0, 1}),
                            bool("addVersion", false))
                    .withHandles(Field.key("keyHandle", key))
                    .labelled("with " + key));
            all.add(Request.of(
                            Ordinal.TICK_STAMP_BLOB,
                            Authority.KEY_OIAP,
                            opaque("antiReplay", zeros()),
                            opaque("digestToStamp", zeros()))
                    .withHandles(Field.key("keyHandle", key))
                    .labelled("with " + key));
        }
        all.addAll(List.of(
                sign(Authority.keyOsap(StockKey.SIGN), StockKey.SIGN),
                sign(Authority.KEY_OIAP, StockKey.BOUND),
                sign(Authority.keysDelegate(Delegation.KEY), StockKey.SIGN),
                sign(Authority.keysDelegate(Delegation.OWNER), StockKey.SIGN)
                        .labelled("by a delegation of the owner's"),
                Request.of(Ordinal.SIGN, counted("areaToSign", zeros(), 0, 19, 21))
                        .withHandles(Field.key("keyHandle", StockKey.SIGN_OPEN)),
                Request.of(Ordinal.GET_TICKS),
                Request.of(Ordinal.GET_AUDIT_DIGEST, number32("startOrdinal", 0, 0x0D, 0xF2, -1)),
                Request.of(
                                Ordinal.GET_AUDIT_DIGEST_SIGNED,
                                Authority.KEY_OIAP,
                                bool("closeAudit", false),
                                opaque("antiReplay", zeros()))
                        .withHandles(Field.key("keyHandle", StockKey.SIGN)),
                Request.of(
                                Ordinal.GET_AUDIT_DIGEST_SIGNED,
                                Authority.KEY_OIAP,
                                bool("closeAudit", true),
                                opaque("antiReplay", zeros()))
                        .withHandles(Field.key("keyHandle", StockKey.IDENTITY))
                        .labelled("with an identity"),
                Request.of(Ordinal.GET_ORDINAL_AUDIT_STATUS, number32("ordinalToQuery", 0x14, 0, 0x0D, 0x9A, -1))
                        .inFewCases(),
                Request.of(
                        Ordinal.SET_ORDINAL_AUDIT_STATUS,
                        Authority.OWNER_OIAP,
                        number32("ordinalToAudit", 0x14, 0, 0x0D, 0x85, 0x9A, -1),
                        bool("auditState", false)),
                Request.of(Ordinal.CERTIFY_SELF_TEST, Authority.KEY_OIAP, opaque("antiReplay", zeros()))
                        .withHandles(Field.key("keyHandle", StockKey.SIGN))
                        .inFewCases(),
                Request.of(
                                Ordinal.GET_CAPABILITY_SIGNED,
                                Authority.KEY_OIAP,
                                opaque("antiReplay", zeros()),
                                number32("capArea", 6),
                                counted("subCap", new byte[0]))
                        .withHandles(Field.key("keyHandle", StockKey.SIGN))
                        .inFewCases(),
                makeIdentity(),
                Request.of(
                                Ordinal.ACTIVATE_IDENTITY,
                                Authority.KEY_OIAP,
                                sizedBlob("blob", (probe, session) -> activation(probe)))
                        .and(Authority.OWNER_OIAP)
                        .withHandles(Field.key("idKeyHandle", StockKey.IDENTITY)),
                Request.of(
                                Ordinal.ACTIVATE_IDENTITY,
                                Authority.OWNER_OIAP,
                                sizedBlob("blob", (probe, session) -> activation(probe)))
                        .withHandles(Field.key("idKeyHandle", StockKey.IDENTITY))));
        return all;
    }

    private static Request sign(Authority authority, StockKey key) {
        return Request.of(Ordinal.SIGN, authority, counted("areaToSign", zeros(), 0, 19, 21, 100, 118))
                .withHandles(Field.key("keyHandle", key))
                .labelled("with " + key);
    }

    private static Request makeIdentity() {
        List<Field> fields = new ArrayList<>();
        fields.add(encrypted("identityAuth", Secrets.key()));
        fields.add(opaque("labelPrivCADigest", zeros()));
        fields.addAll(KeyRequests.keyInfo(0x12, 0, 1, 2, 2048));
        return Request.of(Ordinal.MAKE_IDENTITY, Authority.SRK_OIAP, fields.toArray(Field[]::new))
                .and(Authority.OWNER_OSAP);
    }

    /** TPM_ASYM_CA_CONTENTS (TPM Main Part 2, section 12.2), encrypted for the endorsement key. */
    private static byte[] activation(Probe probe) {
        byte[] sessionKey = concat(u32(6), u16(0xFF), u16(16), new byte[16]);
        return probe.encryptForEk(concat(sessionKey, sha1(probe.stock().identity())));
    }
}
