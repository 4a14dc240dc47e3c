package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.blob;
import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.key;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.sizedBlob;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.util.HexFormat;
import java.util.List;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Structures;

/** Secrets for a TPM: sealed to it and encrypted for its keys (TPM Main Part 3, section 10). */
final class SealRequests {
    private SealRequests() {}

    static List<Request> all() {
        return List.of(
                seal(Ordinal.SEAL, Authority.SRK_OSAP),
                seal(Ordinal.SEALX, Authority.SRK_OSAP),
                seal(Ordinal.SEALX, Authority.SRK_OSAP_AES),
                Request.of(Ordinal.UNSEAL, Authority.SRK_OIAP, sealed())
                        .and(Authority.DATA_OIAP)
                        .withHandles(storage()),
                Request.of(Ordinal.UNSEAL, Authority.DATA_OIAP, sealed()).withHandles(storage()),
                Request.of(Ordinal.UNBIND, Authority.KEY_OIAP, sizedBlob("inData", (probe, session) -> bound()))
                        .withHandles(key("keyHandle", StockKey.BIND)),
                Request.of(
                                Ordinal.UNBIND,
                                Authority.keyOsap(StockKey.LEGACY),
                                sizedBlob("inData", (probe, session) -> bound()))
                        .withHandles(key("keyHandle", StockKey.LEGACY))
                        .labelled("of another key's"));
    }

    private static Field storage() {
        return live(
                "keyHandle",
                (probe, session) -> u32(Structures.SRK),
                List.of(u32(0), u32(Structures.OWNER), u32(Structures.ENDORSEMENT_KEY), u32(0x00ABCDE0), u32(-1)));
    }

    private static Field sealed() {
        return blob("inData", (probe, session) -> probe.stock().sealed());
    }

    private static Request seal(Ordinal ordinal, Authority authority) {
        byte[] info = concat(Structures.pcrSelection(3, 16), zeros(), zeros());
        byte[] infoLong = concat(
                u16(6),
                u8(1),
                u8(0x1F),
                Structures.pcrSelection(3, 16),
                Structures.pcrSelection(3, 16),
                zeros(),
                zeros());
        byte[] valid = ordinal == Ordinal.SEALX ? infoLong : info;
        return Request.of(
                        ordinal,
                        authority,
                        encrypted("encAuth", Secrets.data()),
                        live(
                                "pcrInfo",
                                (probe, session) -> sized(valid),
                                List.of(
                                        u32(0),
                                        sized(info),
                                        sized(infoLong),
                                        sized(new byte[1]),
                                        sized(new byte[45]),
                                        sized(concat(infoLong, u8(0))),
                                        sized(concat(Structures.pcrSelection(4, 16), zeros(), zeros())),
                                        sized(concat(Structures.pcrSelection(0), zeros(), zeros())),
                                        sized(concat(Structures.pcrSelection(3), zeros(), zeros())),
                                        u32(0x1000),
                                        u32(-1))),
                        counted("inData", new byte[] {1, 2, 3}, 0, 1, 100, 171, 172, 200, 256))
                .withHandles(storage());
    }

    /** TPM_BOUND_DATA with two bytes (TPM Main Part 2, section 10.5), encrypted for the binding key. */
    private static byte[] bound() {
        return Structures.oaep(
                StockKey.BIND.pair().modulus(), concat(HexFormat.of().parseHex("0101000002"), u16(0x1234)));
    }
}
