package org.vtpm.engine.tpm12;

import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;

import java.util.Arrays;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/** Has attestation identities made, for tests of what they sign. */
final class GuestIdentity {
    private static final int SIGNATURE = 4 + 256;

    private GuestIdentity() {}

    /** Makes and loads one; its secret is {@link GuestKey#USAGE_AUTH}. */
    static int load(TestTpm tpm) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        byte[] answer = tpm.authorized(
                        tpm.oiap(SRK_AUTH),
                        session,
                        "MakeIdentity",
                        tpm.encrypted(session, USAGE_AUTH),
                        new byte[20],
                        GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 2, 2048, new byte[0])
                                .keyInfo())
                .is(ReturnCode.SUCCESS)
                .parameters();
        return GuestKey.load(tpm, Arrays.copyOf(answer, answer.length - SIGNATURE));
    }
}
