package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.bool;
import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.number16;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.sidebyside.Field.sizedBlob;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vtpm.itests.sidebyside.Stock.Delegation;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Structures;

/** Delegation: families, blobs, rows, and their use (TPM Main Part 3, sections 18.5 and 19). */
final class DelegationRequests {
    private DelegationRequests() {}

    static List<Request> all() {
        Field changes = number32("keyHandle", Structures.SRK, Structures.ENDORSEMENT_KEY);
        return List.of(
                manage(Authority.OWNER_OIAP, 0, 1, u8(7)),
                manage(Authority.OWNER_OIAP, Situation.FAMILY, 2, u8(1)),
                manage(Authority.OWNER_OIAP, Situation.FAMILY, 3, u8(1)),
                manage(Authority.OWNER_OIAP, Situation.LOCKED_FAMILY, 2, u8(0)),
                manage(Authority.OWNER_OIAP, Situation.DISABLED_FAMILY, 4, new byte[0]),
                manage(Authority.ownersDelegate(Delegation.OWNER), Situation.FAMILY, 2, u8(1)),
                manage(Authority.ownersDelegate(Delegation.OWNER), Situation.LOCKED_FAMILY, 2, u8(1)),
                manage(Authority.ownersDelegate(Delegation.OWNER_LOCKED), Situation.LOCKED_FAMILY, 2, u8(1)),
                manage(Authority.ownersDelegate(Delegation.OWNER), 0, 1, u8(7)),
                Request.of(
                        Ordinal.DELEGATE_MANAGE,
                        number32("familyID", 0, 1, 2, 3, -1),
                        number32("opCode", 1, 0, 2, 3, 4, 5, -1),
                        counted("opData", u8(7), 0, 1, 2)),
                createOwner(Authority.OWNER_OSAP, Delegation.OWNER),
                createOwner(Authority.OWNER_OSAP_AES, Delegation.OWNER),
                createOwner(Authority.OWNER_OSAP, Delegation.OWNER_LOCKED),
                createOwner(Authority.ownersDelegate(Delegation.OWNER), Delegation.OWNER),
                createOwner(Authority.ownersDelegate(Delegation.OWNER_LOCKED), Delegation.OWNER_LOCKED),
                createOwner(Authority.ownersDelegate(Delegation.OWNER), Delegation.OWNER_LOCKED),
                createKey(Authority.keyOsap(StockKey.SIGN), Delegation.KEY),
                createKey(Authority.keyOsap(StockKey.SIGN), Delegation.KEY_LOCKED),
                createKey(Authority.keysDelegate(Delegation.KEY), Delegation.KEY),
                createKey(Authority.keysDelegate(Delegation.KEY_LOCKED), Delegation.KEY_LOCKED),
                load(Authority.OWNER_OIAP, Delegation.OWNER),
                load(Authority.OWNER_OIAP, Delegation.OWNER_LOCKED),
                load(Authority.OWNER_OIAP, Delegation.OWNER_DISABLED),
                load(Authority.ownersDelegate(Delegation.OWNER), Delegation.OWNER),
                load(Authority.ownersDelegate(Delegation.OWNER_LOCKED), Delegation.OWNER),
                Request.of(
                        Ordinal.DELEGATE_LOAD_OWNER_DELEGATION,
                        number32("index", 1, 0, 3, 4, -1),
                        sizedBlob("blob", (probe, session) -> plainBlob())),
                update(Authority.OWNER_OIAP, Delegation.OWNER),
                update(Authority.OWNER_OIAP, Delegation.OWNER_LOCKED),
                update(Authority.OWNER_OIAP, Delegation.KEY),
                update(Authority.ownersDelegate(Delegation.OWNER), Delegation.OWNER),
                update(Authority.ownersDelegate(Delegation.OWNER), Delegation.OWNER_LOCKED),
                update(Authority.ownersDelegate(Delegation.OWNER_LOCKED), Delegation.OWNER_LOCKED),
                Request.of(
                                Ordinal.DELEGATE_UPDATE_VERIFICATION,
                                Authority.OWNER_OIAP,
                                counted("inputData", u32(0), 0, 3, 5))
                        .labelled("of a row"),
                verify(Delegation.OWNER),
                verify(Delegation.OWNER_DISABLED),
                verify(Delegation.KEY),
                Request.of(Ordinal.DELEGATE_READ_TABLE),
                dsap(Structures.ET_DEL_OWNER_BLOB, Delegation.OWNER),
                dsap(Structures.ET_DEL_OWNER_BLOB, Delegation.OWNER_DISABLED),
                dsap(Structures.ET_DEL_KEY_BLOB, Delegation.KEY),
                Request.of(
                                Ordinal.DSAP,
                                number16("entityType", Structures.ET_DEL_ROW, 0, 1, 2, 7, 9, 0x0608),
                                number32("keyHandle", Structures.OWNER, 0, Structures.SRK, -1),
                                opaque("nonceOddDSAP", zeros()),
                                counted("entityValue", u32(0), 0, 3, 5))
                        .labelled("of a row"),
                Request.of(
                        Ordinal.SET_OWNER_POINTER,
                        number16("entityType", Structures.ET_OWNER, 0, 1, 4, 7, 8, 0x0602),
                        number32("entityValue", Structures.OWNER, 0, 1, 4, -1)),
                Request.of(
                                Ordinal.SET_OWNER_POINTER,
                                number16("entityType", Structures.ET_DEL_ROW),
                                number32("entityValue", 0, 1, 3, 4, -1))
                        .labelled("to a row"),
                Request.of(Ordinal.OWNER_READ_INTERNAL_PUB, Authority.ownersDelegate(Delegation.OWNER), changes),
                Request.of(
                        Ordinal.OWNER_READ_INTERNAL_PUB, Authority.ownersDelegate(Delegation.OWNER_DISABLED), changes),
                Request.of(Ordinal.OWNER_READ_INTERNAL_PUB, Authority.ownersDelegate(Delegation.KEY), changes),
                Request.of(Ordinal.DISABLE_PUBEK_READ, Authority.ownersDelegate(Delegation.OWNER)));
    }

    private static Request manage(Authority authority, int family, int operation, byte[] data) {
        return Request.of(
                        Ordinal.DELEGATE_MANAGE,
                        authority,
                        number32("familyID", family, 9, -1),
                        number32("opCode", operation, 0, 5, -1),
                        counted("opData", data, 0, 1, 2))
                .labelled("of family %d, operation %d".formatted(family, operation));
    }

    /** The fields of a TPM_DELEGATE_PUBLIC. */
    private static List<Field> publicInfo(Delegation delegation) {
        byte[] info = delegation.publicInfo();
        return List.of(
                number16("tag", 0x1B, 0, 0x1A),
                opaque("rowLabel", u8(0)),
                opaque("pcrInfo", Structures.anyPcr()),
                number16("permissions.tag", 0x1A, 0, 0x1B),
                live("delegateType", slice(info, 31), List.of(u32(0), u32(1), u32(2), u32(3))),
                live("per1", slice(info, 35), List.of(u32(0), u32(1 << 18), u32(-1))),
                number32("per2", 0, 1, -1),
                live("familyID", slice(info, 43), List.of(u32(0), u32(1), u32(2), u32(3), u32(9), u32(-1))),
                number32("verificationCount", 1, 0, 2));
    }

    private static Field.Value slice(byte[] info, int from) {
        byte[] bytes = Arrays.copyOfRange(info, from, from + 4);
        return (probe, session) -> bytes;
    }

    private static Request createOwner(Authority authority, Delegation delegation) {
        List<Field> fields = new ArrayList<>();
        fields.add(bool("increment", false));
        fields.addAll(publicInfo(delegation));
        fields.add(encrypted("delAuth", Secrets.delegate()));
        return Request.of(Ordinal.DELEGATE_CREATE_OWNER_DELEGATION, authority, fields.toArray(Field[]::new))
                .labelled("of " + delegation);
    }

    private static Request createKey(Authority authority, Delegation delegation) {
        List<Field> fields = new ArrayList<>(publicInfo(delegation));
        fields.add(encrypted("delAuth", Secrets.delegate()));
        return Request.of(Ordinal.DELEGATE_CREATE_KEY_DELEGATION, authority, fields.toArray(Field[]::new))
                .withHandles(Field.key("keyHandle", StockKey.SIGN))
                .labelled("of " + delegation);
    }

    private static Request load(Authority authority, Delegation delegation) {
        return Request.of(
                        Ordinal.DELEGATE_LOAD_OWNER_DELEGATION,
                        authority,
                        number32("index", 1, 3, 4, -1),
                        sizedBlob("blob", (probe, session) -> probe.stock().delegation(delegation)))
                .labelled("of " + delegation);
    }

    /** A TPM_DELEGATE_OWNER_BLOB as it is loaded where there is no owner: nothing of it is encrypted. */
    private static byte[] plainBlob() {
        return concat(
                u16(0x2A),
                Delegation.OWNER.publicInfo(),
                zeros(),
                u32(0),
                sized(concat(u16(0x26), Secrets.delegate())));
    }

    private static Request update(Authority authority, Delegation delegation) {
        return Request.of(
                        Ordinal.DELEGATE_UPDATE_VERIFICATION,
                        authority,
                        sizedBlob("inputData", (probe, session) -> probe.stock().delegation(delegation)))
                .labelled("of " + delegation);
    }

    private static Request verify(Delegation delegation) {
        return Request.of(
                        Ordinal.DELEGATE_VERIFY_DELEGATION,
                        sizedBlob(
                                "delegation", (probe, session) -> probe.stock().delegation(delegation)))
                .labelled("of " + delegation);
    }

    private static Request dsap(int entityType, Delegation delegation) {
        Field handle = delegation == Delegation.KEY
                ? Field.key("keyHandle", StockKey.SIGN)
                : number32("keyHandle", Structures.OWNER, 0, Structures.SRK, -1);
        return Request.of(
                        Ordinal.DSAP,
                        number16("entityType", entityType, 0, 1, 2, 7, 8, 9, 0x0600 | entityType, 0x0500 | entityType),
                        handle,
                        opaque("nonceOddDSAP", zeros()),
                        sizedBlob(
                                "entityValue", (probe, session) -> probe.stock().delegation(delegation)))
                .labelled("of " + delegation);
    }
}
