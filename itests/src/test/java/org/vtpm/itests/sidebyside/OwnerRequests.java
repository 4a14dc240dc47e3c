package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.number8;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.sidebyside.Field.sizedBlob;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;

/** Monotonic counters, DAA, and what else is the owner's (TPM Main Part 3, sections 25 and 26). */
final class OwnerRequests {
    private OwnerRequests() {}

    static List<Request> all() {
        return List.of(
                Request.of(
                        Ordinal.CREATE_COUNTER,
                        Authority.OWNER_OSAP,
                        encrypted("authData", Secrets.counter()),
                        opaque("label", new byte[4])),
                counter(Ordinal.INCREMENT_COUNTER, Authority.COUNTER_OIAP),
                counter(Ordinal.INCREMENT_COUNTER, Authority.COUNTER_OSAP),
                Request.of(Ordinal.READ_COUNTER, number()),
                counter(Ordinal.RELEASE_COUNTER, Authority.COUNTER_OIAP),
                counter(Ordinal.RELEASE_COUNTER_OWNER, Authority.OWNER_OIAP),
                Request.of(
                                Ordinal.DAA_JOIN,
                                Authority.OWNER_OIAP,
                                number8("stage", 0, 1, 2, 24, 25, 0xFF),
                                counted("inputData0", u32(1), 0, 3, 5),
                                counted("inputData1", new byte[0], 1))
                        .withHandles(number32("handle", 0, Structures.OWNER)),
                Request.of(
                                Ordinal.DAA_JOIN,
                                Authority.OWNER_OIAP,
                                number8("stage", 1, 0, 2, 3),
                                counted("inputData0", modulus(), 0, 255, 257),
                                counted("inputData1", new byte[0], 1, 256))
                        .withHandles(join())
                        .after(OwnerRequests::startJoin)
                        .labelled("stage 1"),
                Request.of(
                                Ordinal.DAA_SIGN,
                                Authority.OWNER_OIAP,
                                number8("stage", 0, 1, 2, 15, 16, 0xFF),
                                sizedBlob("inputData0", (probe, session) -> issuer()),
                                counted("inputData1", new byte[0], 1))
                        .withHandles(number32("handle", 0, Structures.OWNER)));
    }

    private static Field number() {
        return live(
                "countID",
                (probe, session) -> u32(probe.stock().counter()),
                List.of(u32(7), u32(9), u32(1000), u32(-1)));
    }

    private static Request counter(Ordinal ordinal, Authority authority) {
        return Request.of(ordinal, authority, number());
    }

    private static byte[] modulus() {
        byte[] modulus = new byte[256];
        Arrays.fill(modulus, (byte) 0xC3);
        return modulus;
    }

    private static Field join() {
        return live(
                "handle",
                (probe, session) -> probe.kept("join").length == 4 ? probe.kept("join") : u32(0x00ABCDEF),
                List.of(u32(0), u32(-1)));
    }

    private static void startJoin(Probe probe) throws IOException {
        Response started = probe.send(
                Ordinal.DAA_JOIN,
                u32(0),
                concat(u8(0), sized(u32(1)), u32(0)),
                Auth.once(probe.oiap(), Secrets.owner()));
        if (started.ok()) {
            probe.keep("join", Arrays.copyOfRange(started.body(), 4, 8));
        }
    }

    /** TPM_DAA_ISSUER (TPM Main Part 2, section 22.3). */
    private static byte[] issuer() {
        byte[] q = new byte[26];
        Arrays.fill(q, (byte) 0xA5);
        byte[] digests = {};
        for (int i = 0; i < 6; i++) {
            digests = concat(digests, sha1(u8(i)));
        }
        return concat(u16(0x2F), digests, q);
    }
}
