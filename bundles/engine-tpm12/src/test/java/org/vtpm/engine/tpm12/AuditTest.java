package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/** The audit digest and what it is made of. */
class AuditTest {
    private static final byte[] DIGEST = Sha1.of(u8(71));
    private static final byte[] CHALLENGE = Sha1.of(u8(72));
    private static final int AUDIT_DIGEST = 10;
    private static final int EXTEND = 0x14;

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
        restart();
    }

    @Test
    void anAuditedCommandExtendsTheDigestByInputAndOutput() {
        audit(EXTEND, true);
        restart();
        int count = number(status(), 6);
        assertThat(digest()).isEqualTo(new byte[20]);

        byte[] pcr = tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS).parameters();
        byte[] counter = concat(HexFormat.of().parseHex("000e00000000"), u32(count + 1));
        assertThat(Arrays.copyOf(status(), 10)).isEqualTo(counter);
        byte[] in = concat(tag("0012"), Sha1.of(u32(EXTEND), u32(16), DIGEST), counter);
        byte[] out = concat(tag("0013"), Sha1.of(u32(0), u32(EXTEND), pcr), counter);
        assertThat(digest()).isEqualTo(Sha1.of(Sha1.of(new byte[20], in), out));

        tpm.send("PcrRead", u32(16)).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(24), DIGEST).is(ReturnCode.BADINDEX);
        assertThat(digest())
                .as("neither what is not audited nor what failed")
                .isEqualTo(Sha1.of(Sha1.of(new byte[20], in), out));
        restart();
        assertThat(digest()).isEqualTo(new byte[20]);
        assertThat(number(status(), 6)).as("survives the power").isEqualTo(count + 1);
    }

    @Test
    void anAuditedCommandIsNotBriefSinceItMayStoreTheCounter() {
        tpm.send("SelfTestFull").is(ReturnCode.SUCCESS);
        assertThat(tpm.isBrief("Extend", u32(16), DIGEST)).isTrue();
        audit(EXTEND, true);
        assertThat(tpm.isBrief("Extend", u32(16), DIGEST)).isFalse();
        assertThat(tpm.isBrief("PcrRead", u32(16))).isTrue();
    }

    @Test
    void theOwnerDecidesWhatIsAudited() {
        assertThat(audited(EXTEND)).isFalse();
        audit(EXTEND, true);
        assertThat(audited(EXTEND)).isTrue();
        assertThat(audited(CommandTable.byName("TakeOwnership").ordinal())).isTrue();
        audit(EXTEND, false);
        assertThat(audited(EXTEND)).isFalse();
        int never = CommandTable.byName("GetAuditDigest").ordinal();
        tpm.authorized(tpm.oiap(GuestOwner.OWNER_AUTH), false, "SetOrdinalAuditStatus", u32(never), u8(1))
                .is(ReturnCode.BADINDEX);
        tpm.authorized(tpm.oiap(GuestOwner.OWNER_AUTH), false, "SetOrdinalAuditStatus", u32(7), u8(1))
                .is(ReturnCode.BADINDEX);
        tpm.authorized(tpm.oiap(new byte[20]), false, "SetOrdinalAuditStatus", u32(EXTEND), u8(1))
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void theDigestIsSigned() throws GeneralSecurityException {
        audit(EXTEND, true);
        byte[] status = status();
        byte[] ordinals = Arrays.copyOfRange(status, 35, status.length);
        int key = GuestKey.of(KeyUsage.SIGNING, 0, 0, 1, 2, 512, new byte[0]).load(tpm);
        byte[] before = digest();
        byte[] answer = tpm.send("GetAuditDigestSigned", u32(key), u8(0), CHALLENGE)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] counter = Arrays.copyOf(status(), 10);
        assertThat(Arrays.copyOf(answer, 50)).isEqualTo(concat(counter, before, Sha1.of(ordinals)));
        byte[] info = concat(
                tag("0005"),
                "ADIG".getBytes(StandardCharsets.US_ASCII),
                CHALLENGE,
                sized(concat(before, counter, Sha1.of(ordinals))));
        Signature verifier = Signature.getInstance("SHA1withRSA");
        byte[] pubkey = tpm.send("GetPubKey", u32(key)).parameters();
        byte[] modulus = Arrays.copyOfRange(pubkey, pubkey.length - 64, pubkey.length);
        verifier.initVerify(KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(new BigInteger(1, modulus), BigInteger.valueOf(65537))));
        verifier.update(info);
        assertThat(verifier.verify(Arrays.copyOfRange(answer, 54, answer.length)))
                .isTrue();
        tpm.send("GetAuditDigestSigned", u32(key), u8(1), CHALLENGE).is(ReturnCode.INVALID_KEYUSAGE);
        assertThat(digest()).isNotEqualTo(new byte[20]);
    }

    private void restart() {
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
    }

    private void audit(int ordinal, boolean state) {
        tpm.authorized(tpm.oiap(GuestOwner.OWNER_AUTH), false, "SetOrdinalAuditStatus", u32(ordinal), u8(state ? 1 : 0))
                .is(ReturnCode.SUCCESS);
    }

    private boolean audited(int ordinal) {
        return tpm.send("GetOrdinalAuditStatus", u32(ordinal))
                        .is(ReturnCode.SUCCESS)
                        .parameters()[0]
                != 0;
    }

    private byte[] status() {
        return tpm.send("GetAuditDigest", u32(0)).is(ReturnCode.SUCCESS).parameters();
    }

    private byte[] digest() {
        return Arrays.copyOfRange(status(), AUDIT_DIGEST, AUDIT_DIGEST + 20);
    }

    private static byte[] tag(String hex) {
        return HexFormat.of().parseHex(hex);
    }
}
