package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/** What the TPM signs is verified with the JDK's RSA. */
class SigningTest {
    private static final int NEVER = 0;
    private static final int SHA1 = 2;
    private static final int DER = 3;
    private static final int INFO = 4;
    private static final byte[] DIGEST = Sha1.of(u8(31));
    private static final byte[] CHALLENGE = Sha1.of(u8(32));
    private static final byte[] PCR_16_AND_0 = HexFormat.of().parseHex("0003010001");

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void aSha1KeySignsDigestsOnly() throws GeneralSecurityException {
        int key = signing(SHA1);
        byte[] signature = last(
                tpm.send("Sign", u32(key), sized(DIGEST)).is(ReturnCode.SUCCESS).parameters(), 0);
        byte[] digestInfo = concat(HexFormat.of().parseHex("3021300906052b0e03021a05000414"), DIGEST);
        assertThat(opened(key, signature)).isEqualTo(digestInfo);
        tpm.send("Sign", u32(key), sized(new byte[0])).is(ReturnCode.BAD_PARAMETER);
        tpm.send("Sign", u32(key), sized(new byte[19])).is(ReturnCode.BAD_PARAMETER);
        tpm.send("Sign", u32(key), sized(new byte[21])).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void aDerKeySignsWhateverFits() throws GeneralSecurityException {
        int key = signing(DER);
        byte[] most = new byte[64 - 11];
        Arrays.fill(most, (byte) 7);
        byte[] signature = last(
                tpm.send("Sign", u32(key), sized(most)).is(ReturnCode.SUCCESS).parameters(), 0);
        assertThat(opened(key, signature)).isEqualTo(most);
        tpm.send("Sign", u32(key), sized(new byte[most.length + 1])).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void anInfoKeySignsWithTheNonceOfTheCaller() throws GeneralSecurityException {
        int key = signing(INFO);
        GuestSession session = tpm.oiap(USAGE_AUTH);
        byte[] nonceOdd = tpm.nonceOdd(session);
        byte[] area = {1, 2, 3};
        byte[] signature = last(
                tpm.authorized(session, false, "Sign", u32(key), sized(area))
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                0);
        assertSigned(key, signature, concat(tag("0005"), ascii("SIGN"), nonceOdd, sized(area)));
        tpm.send("Sign", u32(key), sized(area)).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void keysForOtherThingsDoNotSign() {
        int storage = GuestKey.storage().withAuthDataUsage(NEVER).load(tpm);
        tpm.send("Sign", u32(storage), sized(DIGEST)).is(ReturnCode.INVALID_KEYUSAGE);
        tpm.send("Quote", u32(storage), CHALLENGE, PCR_16_AND_0).is(ReturnCode.INAPPROPRIATE_SIG);
        int der = signing(DER);
        tpm.send("Quote", u32(der), CHALLENGE, PCR_16_AND_0).is(ReturnCode.INAPPROPRIATE_SIG);
        tpm.send("TickStampBlob", u32(der), CHALLENGE, DIGEST).is(ReturnCode.INAPPROPRIATE_SIG);
        tpm.send("Quote2", u32(signing(INFO)), CHALLENGE, PCR_16_AND_0, u8(0)).is(ReturnCode.INAPPROPRIATE_SIG);
    }

    @Test
    void signingHasToBeAuthorised() {
        int key = GuestKey.signing().load(tpm);
        tpm.send("Sign", u32(key), sized(DIGEST)).is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(new byte[20]), false, "Sign", u32(key), sized(DIGEST))
                .is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "Sign", u32(key), sized(DIGEST))
                .is(ReturnCode.SUCCESS);
        tpm.send("Sign", u32(key + 1), sized(DIGEST)).is(ReturnCode.INVALID_KEYHANDLE);
    }

    @Test
    void aQuoteSignsTheCompositeOfThePcrs() throws GeneralSecurityException {
        tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        byte[] values = concat(new byte[20], Sha1.of(new byte[20], DIGEST));
        byte[] composite = concat(PCR_16_AND_0, sized(values));
        for (int scheme : new int[] {SHA1, INFO}) {
            int key = signing(scheme);
            byte[] answer = tpm.send("Quote", u32(key), CHALLENGE, PCR_16_AND_0)
                    .is(ReturnCode.SUCCESS)
                    .parameters();
            assertThat(Arrays.copyOf(answer, composite.length)).isEqualTo(composite);
            byte[] info = concat(tag("01010000"), ascii("QUOT"), Sha1.of(composite), CHALLENGE);
            assertSigned(key, last(answer, composite.length), info);
        }
    }

    @Test
    void aSecondKindOfQuoteNamesLocalityAndVersion() throws GeneralSecurityException {
        int key = signing(SHA1);
        byte[] pcrs = concat(PCR_16_AND_0, u8(1 << 2), Sha1.of(PCR_16_AND_0, sized(new byte[40])));
        byte[] info = concat(tag("0036"), ascii("QUT2"), CHALLENGE, pcrs);
        byte[] plain = tpm.send(2, TestTpm.COMMAND, "Quote2", u32(key), CHALLENGE, PCR_16_AND_0, u8(0))
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(Arrays.copyOf(plain, pcrs.length + 4)).isEqualTo(concat(pcrs, u32(0)));
        assertSigned(key, last(plain, pcrs.length + 4), info);
        byte[] version = Arrays.copyOfRange(
                tpm.send("GetCapability", u32(0x1A), sized(new byte[0])).parameters(), 4, 19);
        byte[] answer = tpm.send(2, TestTpm.COMMAND, "Quote2", u32(key), CHALLENGE, PCR_16_AND_0, u8(1))
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] front = concat(pcrs, sized(version));
        assertThat(Arrays.copyOf(answer, front.length)).isEqualTo(front);
        assertSigned(key, last(answer, front.length), concat(info, version));
    }

    @Test
    void aTickStampSignsDigestAndTicks() throws GeneralSecurityException {
        int key = signing(SHA1);
        tpm.clock.addAndGet(7_000_000);
        byte[] ticks = tpm.send("GetTicks").is(ReturnCode.SUCCESS).parameters();
        byte[] answer = tpm.send("TickStampBlob", u32(key), CHALLENGE, DIGEST)
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(Arrays.copyOf(answer, ticks.length)).isEqualTo(ticks);
        byte[] info = concat(tag("0005"), ascii("TSTP"), CHALLENGE, sized(concat(DIGEST, ticks)));
        assertSigned(key, last(answer, ticks.length), info);
    }

    private int signing(int scheme) {
        return GuestKey.of(KeyUsage.SIGNING, 0, NEVER, 1, scheme, 512, new byte[0])
                .load(tpm);
    }

    private void assertSigned(int key, byte[] signature, byte[] data) throws GeneralSecurityException {
        Signature verifier = Signature.getInstance("SHA1withRSA");
        verifier.initVerify(publicKey(key));
        verifier.update(data);
        assertThat(verifier.verify(signature)).isTrue();
    }

    /** What a signature was made of. */
    private byte[] opened(int key, byte[] signature) throws GeneralSecurityException {
        Cipher rsa = Cipher.getInstance("RSA/ECB/PKCS1Padding");
        rsa.init(Cipher.DECRYPT_MODE, publicKey(key));
        return rsa.doFinal(signature);
    }

    private PublicKey publicKey(int key) throws GeneralSecurityException {
        byte[] pubkey = tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS).parameters();
        byte[] modulus = Arrays.copyOfRange(pubkey, pubkey.length - 64, pubkey.length);
        return KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(new BigInteger(1, modulus), BigInteger.valueOf(65537)));
    }

    /** The last parameter, a sized one. */
    private static byte[] last(byte[] parameters, int offset) {
        assertThat(number(parameters, offset)).isEqualTo(parameters.length - offset - 4);
        return Arrays.copyOfRange(parameters, offset + 4, parameters.length);
    }

    private static byte[] tag(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
