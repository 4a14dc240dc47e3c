package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.security.SecureRandom;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

class SignedCapabilityTest {
    private static final byte[] CHALLENGE = Sha1.of(u8(71));

    private final TestTpm tpm = TestTpm.started();

    @Test
    void capabilitiesAreSigned() {
        GuestOwner.withNewEk(tpm).takeOwnership();
        byte[] question = concat(u32(5), sized(u32(0x101)));
        byte[] plain =
                tpm.send("GetCapability", question).is(ReturnCode.SUCCESS).parameters();
        int signer = GuestKey.signing().load(tpm);
        byte[] answer = ask(signer, question).is(ReturnCode.SUCCESS).parameters();
        assertThat(Arrays.copyOfRange(answer, 4, 4 + plain.length)).isEqualTo(plain);
        byte[] pubkey = tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetPubKey", u32(signer))
                .parameters();
        byte[] signed = concat(Arrays.copyOfRange(plain, 4, plain.length), CHALLENGE);
        byte[] signature = Arrays.copyOfRange(answer, answer.length - 64, answer.length);
        assertThat(new Rsa(JavaBigNumberProvider::new, new SecureRandom())
                        .verifySha1(GuestKey.publicKey(pubkey), Sha1.of(signed), signature))
                .isTrue();
        ask(GuestKey.of(KeyUsage.SIGNING, 0, 1, 1, 4, 512, new byte[0]).load(tpm), question)
                .is(ReturnCode.INAPPROPRIATE_SIG);
        ask(signer, concat(u32(99), u32(0))).is(ReturnCode.BAD_MODE);
        tpm.send("GetCapabilitySigned", u32(signer), CHALLENGE, question).is(ReturnCode.AUTHFAIL);
    }

    private TestTpm.Response ask(int signer, byte[] question) {
        return tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetCapabilitySigned", u32(signer), CHALLENGE, question);
    }
}
