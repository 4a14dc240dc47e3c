package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
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
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/** Keys that vouch for keys; certificates are verified with the JDK's RSA. */
class CertifyTest {
    private static final int NEVER = 0;
    private static final int PCR_IGNORED_ON_READ = 8;
    private static final int SIG_SHA1 = 2;
    private static final int SIG_DER = 3;
    private static final byte[] CHALLENGE = Sha1.of(u8(51));
    private static final byte[] NO_AUTHORITY = new byte[20];
    private static final byte[] PARMS_512 = HexFormat.of().parseHex("00000001000100020000000c000002000000000200000000");

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void aFreeKeyIsCertifiedInTheFirstForm() throws GeneralSecurityException {
        int certifier = signing(SIG_SHA1, new byte[0]);
        int key = signing(SIG_SHA1, new byte[0]);
        byte[] expected = concat(
                hex("01010000"),
                u16(KeyUsage.SIGNING),
                u32(0),
                u8(NEVER),
                PARMS_512,
                Sha1.of(modulus(key)),
                CHALLENGE,
                u8(0),
                u32(0));
        byte[] answer = tpm.send("CertifyKey", u32(certifier), u32(key), CHALLENGE)
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertCertified(certifier, answer, expected);
    }

    @Test
    void aKeyBoundToLowPcrsIsCertifiedWithThem() throws GeneralSecurityException {
        byte[] digest = Sha1.of(hex("0003010000"), sized(new byte[20]));
        int key = signing(SIG_SHA1, concat(hex("0003010000"), digest, new byte[20]));
        int certifier = signing(SIG_SHA1, new byte[0]);
        byte[] answer = tpm.send("CertifyKey", u32(certifier), u32(key), CHALLENGE)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] expected = concat(
                hex("01010000"),
                u16(KeyUsage.SIGNING),
                u32(0),
                u8(NEVER),
                PARMS_512,
                Sha1.of(modulus(key)),
                CHALLENGE,
                u8(0),
                sized(concat(hex("00020100"), digest, new byte[20])));
        assertCertified(certifier, answer, expected);
    }

    @Test
    void aKeyBoundToHighPcrsNeedsTheSecondForm() throws GeneralSecurityException {
        byte[] digest = Sha1.of(hex("0003000001"), sized(new byte[20]));
        int key = signing(SIG_SHA1, concat(hex("0003000001"), digest, new byte[20]));
        int certifier = signing(SIG_SHA1, new byte[0]);
        byte[] expected = concat(
                hex("0029" + "00" + "01"),
                u16(KeyUsage.SIGNING),
                u32(0),
                u8(NEVER),
                PARMS_512,
                Sha1.of(modulus(key)),
                CHALLENGE,
                u8(0),
                sized(concat(hex("0003000001" + "1f"), digest)),
                u32(0));
        assertCertified(
                certifier,
                tpm.send("CertifyKey", u32(certifier), u32(key), CHALLENGE)
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                expected);
        assertCertified(
                certifier,
                tpm.send("CertifyKey2", u32(key), u32(certifier), NO_AUTHORITY, CHALLENGE)
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                expected);
    }

    @Test
    void certifyingHasToBeAuthorised() {
        int certifier = GuestKey.signing().load(tpm);
        int key = GuestKey.signing().load(tpm);
        tpm.send("CertifyKey", u32(certifier), u32(key), CHALLENGE).is(ReturnCode.AUTHFAIL);
        tpm.authorized(
                        tpm.oiap(GuestKey.USAGE_AUTH),
                        tpm.oiap(GuestKey.USAGE_AUTH),
                        "CertifyKey",
                        u32(certifier),
                        u32(key),
                        CHALLENGE)
                .is(ReturnCode.SUCCESS);
        tpm.authorized(
                        tpm.oiap(GuestKey.USAGE_AUTH),
                        tpm.oiap(NO_AUTHORITY),
                        "CertifyKey2",
                        u32(key),
                        u32(certifier),
                        NO_AUTHORITY,
                        CHALLENGE)
                .is(ReturnCode.AUTH2FAIL);
        int open = signing(SIG_SHA1, new byte[0]);
        tpm.authorized(tpm.oiap(GuestKey.USAGE_AUTH), false, "CertifyKey", u32(open), u32(key), CHALLENGE)
                .is(ReturnCode.SUCCESS);
        tpm.authorized(
                        tpm.oiap(GuestKey.USAGE_AUTH),
                        false,
                        "CertifyKey2",
                        u32(open),
                        u32(certifier),
                        NO_AUTHORITY,
                        CHALLENGE)
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void aKeyThatAnyoneMayReadIsCertifiedWithoutItsSecret() {
        int certifier = signing(SIG_SHA1, new byte[0]);
        int readable = GuestKey.signing().withAuthDataUsage(3).load(tpm);
        tpm.send("CertifyKey", u32(certifier), u32(readable), CHALLENGE).is(ReturnCode.SUCCESS);
        tpm.send("CertifyKey", u32(certifier), u32(GuestKey.signing().load(tpm)), CHALLENGE)
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void pcrsThatAreIgnoredWhenReadingAreIgnoredHere() {
        int certifier = signing(SIG_SHA1, new byte[0]);
        byte[] pcrInfo = concat(hex("0003000001"), Sha1.of(u8(52)), new byte[20]);
        int bound = signing(SIG_SHA1, pcrInfo);
        int readable = GuestKey.of(KeyUsage.SIGNING, PCR_IGNORED_ON_READ, NEVER, 1, SIG_SHA1, 512, pcrInfo)
                .load(tpm);
        tpm.send("CertifyKey", u32(certifier), u32(bound), CHALLENGE).is(ReturnCode.WRONGPCRVAL);
        tpm.send("CertifyKey", u32(certifier), u32(readable), CHALLENGE).is(ReturnCode.SUCCESS);
        tpm.send("CertifyKey", u32(readable), u32(certifier), CHALLENGE).is(ReturnCode.WRONGPCRVAL);
        tpm.send("CertifyKey2", u32(bound), u32(certifier), NO_AUTHORITY, CHALLENGE)
                .is(ReturnCode.WRONGPCRVAL);
        tpm.send("CertifyKey2", u32(readable), u32(certifier), NO_AUTHORITY, CHALLENGE)
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void migrationKeysAreNotCertified() {
        int certifier = signing(SIG_SHA1, new byte[0]);
        int migration =
                GuestKey.of(KeyUsage.MIGRATE, 0, NEVER, 3, 1, 2048, new byte[0]).load(tpm);
        tpm.send("CertifyKey", u32(certifier), u32(migration), CHALLENGE).is(ReturnCode.INVALID_KEYUSAGE);
        tpm.send("CertifyKey2", u32(migration), u32(certifier), NO_AUTHORITY, CHALLENGE)
                .is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void keysThatSignWhatTheyAreGivenCertifyNothing() {
        int der = signing(SIG_DER, new byte[0]);
        tpm.send("CertifyKey", u32(der), u32(der), CHALLENGE).is(ReturnCode.BAD_KEY_PROPERTY);
        tpm.send("CertifyKey2", u32(der), u32(der), NO_AUTHORITY, CHALLENGE).is(ReturnCode.BAD_KEY_PROPERTY);
    }

    @Test
    void theSelfTestIsCertified() throws GeneralSecurityException {
        int key = signing(SIG_SHA1, new byte[0]);
        byte[] answer = tpm.send("CertifySelfTest", u32(key), CHALLENGE)
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertSigned(
                key,
                Arrays.copyOfRange(answer, 4, answer.length),
                concat("Test Passed".getBytes(StandardCharsets.US_ASCII), CHALLENGE, u32(0x52)));
        tpm.send("CertifySelfTest", u32(signing(SIG_DER, new byte[0])), CHALLENGE)
                .is(ReturnCode.BAD_SCHEME);
        tpm.send("CertifySelfTest", u32(GuestKey.signing().load(tpm)), CHALLENGE)
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void boundDataComesOutOnlyInItsFrame() {
        int key = GuestKey.bind(512).withAuthDataUsage(NEVER).load(tpm);
        byte[] data = {1, 2, 3};
        assertThat(unbind(key, concat(hex("01010000" + "02"), data))
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(sized(data));
        unbind(key, concat(hex("01010000" + "05"), data)).is(ReturnCode.INVALID_STRUCTURE);
        unbind(key, concat(hex("01020000" + "02"), data)).is(ReturnCode.BAD_VERSION);
        unbind(key, hex("0101")).is(ReturnCode.BAD_PARAM_SIZE);
        tpm.send("UnBind", u32(key), sized(new byte[64])).is(ReturnCode.DECRYPT_ERROR);
        tpm.send("UnBind", u32(key), sized(new byte[65])).is(ReturnCode.BAD_DATASIZE);
        tpm.send("UnBind", u32(key), sized(new byte[0])).is(ReturnCode.BAD_PARAMETER);
        tpm.send("UnBind", u32(signing(SIG_SHA1, new byte[0])), sized(new byte[64]))
                .is(ReturnCode.INVALID_KEYUSAGE);
        tpm.send("UnBind", u32(Handles.SRK), sized(new byte[64])).is(ReturnCode.AUTHFAIL);
    }

    private TestTpm.Response unbind(int key, byte[] plain) {
        return tpm.send("UnBind", u32(key), sized(GuestKey.encrypt(publicKey(key), plain)));
    }

    private int signing(int scheme, byte[] pcrInfo) {
        return GuestKey.of(KeyUsage.SIGNING, 0, NEVER, 1, scheme, 512, pcrInfo).load(tpm);
    }

    private byte[] publicKey(int key) {
        return tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS).parameters();
    }

    private byte[] modulus(int key) {
        byte[] pubkey = publicKey(key);
        return Arrays.copyOfRange(pubkey, pubkey.length - 64, pubkey.length);
    }

    private void assertCertified(int certifier, byte[] answer, byte[] info) throws GeneralSecurityException {
        assertThat(Arrays.copyOf(answer, info.length)).isEqualTo(info);
        assertSigned(certifier, Arrays.copyOfRange(answer, info.length + 4, answer.length), info);
    }

    private void assertSigned(int key, byte[] signature, byte[] data) throws GeneralSecurityException {
        Signature verifier = Signature.getInstance("SHA1withRSA");
        verifier.initVerify(KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(new BigInteger(1, modulus(key)), BigInteger.valueOf(65537))));
        verifier.update(data);
        assertThat(verifier.verify(signature)).isTrue();
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }
}
