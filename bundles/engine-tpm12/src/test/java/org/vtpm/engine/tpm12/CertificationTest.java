package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.MIGRATABLE;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.engine.tpm12.structure.EntityType;
import org.vtpm.engine.tpm12.structure.Handles;
import org.vtpm.engine.tpm12.structure.KeyUsage;
import org.vtpm.engine.tpm12.structure.ReturnCode;

class CertificationTest {
    private static final byte[] CHALLENGE = Sha1.of(u8(71));
    private static final byte[] AUTHORITIES = Sha1.of(u8(72));
    private static final byte[] WRONG = new byte[20];
    private static final byte[] NONE = {};
    private static final int NEVER = 0;
    private static final int NO_READ_PUBKEY_AUTH = 3;
    private static final int PCR_IGNORED_ON_READ = 8;
    private static final byte[] PCR_16 = HexFormat.of().parseHex("0003000001");
    private static final byte[] PCR_0 = HexFormat.of().parseHex("0003010000");

    /** The version, usage, flags, authDataUsage and parameters that TPM_KEY and TPM_CERTIFY_INFO begin with. */
    private static final int KEY_PARMS_END = 11 + 24;

    private final TestTpm tpm = TestTpm.started();
    private final Rsa rsa = new Rsa(JavaBigNumberProvider::new, new SecureRandom());

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void aKeySignsWhatAnotherIs() {
        int signer = signer(2);
        GuestKey storage = GuestKey.storage();
        int key = storage.load(tpm);
        byte[] answer = certify(signer, key).is(ReturnCode.SUCCESS).parameters();
        byte[] info =
                concat(Arrays.copyOf(storage.keyInfo(), KEY_PARMS_END), modulusDigest(key), CHALLENGE, u8(0), u32(0));
        assertSigned(signer, info, answer);
        byte[] second = certify2(signer, key, WRONG).is(ReturnCode.SUCCESS).parameters();
        assertSigned(signer, info2(storage, 1, concat(modulusDigest(key), CHALLENGE), NONE, NONE), second);
        assertThat(certify(signer(4), key).is(ReturnCode.SUCCESS).parameters()).startsWith(info);
    }

    @Test
    void oldCertificatesHoldTheFirstSixteenPcrsOnly() {
        int signer = signer(2);
        byte[] untouched = Sha1.of(PCR_0, sized(new byte[20]));
        GuestKey old = signing(concat(PCR_0, untouched, WRONG));
        byte[] pcrs = concat(u16(2), u8(1), u8(0), untouched, WRONG);
        int key = old.load(tpm);
        byte[] info =
                concat(Arrays.copyOf(old.keyInfo(), KEY_PARMS_END), modulusDigest(key), CHALLENGE, u8(0), sized(pcrs));
        assertSigned(signer, info, certify(signer, key).is(ReturnCode.SUCCESS).parameters());

        byte[] beyond = Sha1.of(PCR_16, sized(new byte[20]));
        GuestKey recent = signing(concat(PCR_16, beyond, WRONG));
        int other = recent.load(tpm);
        byte[] info2 =
                info2(recent, 1, concat(modulusDigest(other), CHALLENGE), concat(PCR_16, u8(0x1F), beyond), NONE);
        assertSigned(
                signer, info2, certify(signer, other).is(ReturnCode.SUCCESS).parameters());

        byte[] local = concat(u16(6), u8(1), u8(3), PCR_0, PCR_0, WRONG, untouched);
        GuestKey bound = GuestKey.of12(KeyUsage.SIGNING, 0, 1, 1, 2, 512, local);
        int third = bound.load(tpm);
        byte[] info3 = info2(bound, 1, concat(modulusDigest(third), CHALLENGE), concat(PCR_0, u8(3), untouched), NONE);
        assertSigned(
                signer, info3, certify(signer, third).is(ReturnCode.SUCCESS).parameters());
    }

    @Test
    void aKeyIsCertifiedUnderItsPcrsUnlessTheyAreIgnoredOnRead() {
        int signer = signer(2);
        byte[] pcrs = concat(PCR_16, Sha1.of(PCR_16, sized(new byte[20])), WRONG);
        int bound = signing(pcrs).load(tpm);
        int open = signing(pcrs).withFlags(PCR_IGNORED_ON_READ).load(tpm);
        tpm.send("Extend", u32(16), CHALLENGE).is(ReturnCode.SUCCESS);
        certify(signer, bound).is(ReturnCode.WRONGPCRVAL);
        certify2(signer, bound, WRONG).is(ReturnCode.WRONGPCRVAL);
        certify(signer, open).is(ReturnCode.SUCCESS);
        certify2(signer, open, WRONG).is(ReturnCode.SUCCESS);
    }

    @Test
    void certifyingTakesBothSecrets() {
        int signer = signer(2);
        int key = GuestKey.signing().load(tpm);
        byte[] handles = concat(u32(signer), u32(key));
        tpm.authorized(tpm.oiap(WRONG), tpm.oiap(USAGE_AUTH), "CertifyKey", handles, CHALLENGE)
                .is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(USAGE_AUTH), tpm.oiap(WRONG), "CertifyKey", handles, CHALLENGE)
                .is(ReturnCode.AUTH2FAIL);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "CertifyKey", handles, CHALLENGE)
                .is(ReturnCode.AUTHFAIL);
        tpm.send("CertifyKey", handles, CHALLENGE).is(ReturnCode.AUTHFAIL);
        tpm.send("CertifyKey2", u32(key), u32(signer), WRONG, CHALLENGE).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void aKeyThatNeedsNoAuthorisationTakesNone() {
        int signer = GuestKey.signing().withAuthDataUsage(NEVER).load(tpm);
        int readable = GuestKey.signing().withAuthDataUsage(NO_READ_PUBKEY_AUTH).load(tpm);
        int key = GuestKey.signing().load(tpm);
        tpm.send("CertifyKey", u32(signer), u32(readable), CHALLENGE).is(ReturnCode.SUCCESS);
        tpm.send("CertifyKey2", u32(readable), u32(signer), WRONG, CHALLENGE).is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "CertifyKey", u32(signer), u32(key), CHALLENGE)
                .is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(WRONG), false, "CertifyKey", u32(signer), u32(key), CHALLENGE)
                .is(ReturnCode.AUTHFAIL);
        tpm.send("CertifyKey", u32(signer), u32(key), CHALLENGE).is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "CertifyKey2", u32(readable), u32(signer(2)), WRONG, CHALLENGE)
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void onlySigningKeysCertifyAndIdentitiesOnlyWhatStays() {
        int signing = signer(2);
        int migratable = GuestKey.signing().withFlags(MIGRATABLE).load(tpm);
        certify(signer(3), signing).is(ReturnCode.BAD_KEY_PROPERTY);
        certify(GuestKey.bind(512).load(tpm), signing).is(ReturnCode.BAD_KEY_PROPERTY);
        int identity = GuestIdentity.load(tpm);
        certify(signing, migratable).is(ReturnCode.SUCCESS);
        certify(identity, signing).is(ReturnCode.SUCCESS);
        certify(identity, migratable).is(ReturnCode.MIGRATEFAIL);
        certify2(identity, migratable, WRONG).is(ReturnCode.MIGRATEFAIL);
        int migration = GuestKey.of(KeyUsage.MIGRATE, 0, 1, 3, 1, 2048, NONE).load(tpm);
        certify(signing, migration).is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void theCertificateOfARestrictedKeyNamesItsAuthorities() {
        GuestKey params = GuestKey.of12(KeyUsage.SIGNING, MIGRATABLE | 0x10, 1, 1, 2, 512, NONE);
        int key = restricted(params);
        int identity = GuestIdentity.load(tpm);
        byte[] authority = Sha1.of(AUTHORITIES, u8(6));
        byte[] answer =
                certify2(identity, key, AUTHORITIES).is(ReturnCode.SUCCESS).parameters();
        assertSigned(identity, info2(params, 6, concat(modulusDigest(key), CHALLENGE), NONE, authority), answer);
        certify2(identity, key, WRONG).is(ReturnCode.MA_SOURCE);
        certify(signer(2), key).is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void aPassedSelfTestIsSigned() {
        int signer = signer(2);
        byte[] answer = tpm.authorized(tpm.oiap(USAGE_AUTH), false, "CertifySelfTest", u32(signer), CHALLENGE)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] text = "Test Passed".getBytes(StandardCharsets.US_ASCII);
        assertThat(verified(signer, concat(text, CHALLENGE, u32(0x52)), sizedPart(answer)))
                .isTrue();
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "CertifySelfTest", u32(signer(3)), CHALLENGE)
                .is(ReturnCode.BAD_SCHEME);
        tpm.send("CertifySelfTest", u32(signer), CHALLENGE).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void capabilitiesAreSigned() {
        int signer = signer(2);
        byte[] question = concat(u32(5), sized(u32(0x101)));
        byte[] plain =
                tpm.send("GetCapability", question).is(ReturnCode.SUCCESS).parameters();
        byte[] answer = tpm.authorized(
                        tpm.oiap(USAGE_AUTH), false, "GetCapabilitySigned", u32(signer), CHALLENGE, question)
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(Arrays.copyOfRange(answer, 4, 4 + plain.length)).isEqualTo(plain);
        byte[] resp = Arrays.copyOfRange(plain, 4, plain.length);
        assertThat(verified(
                        signer, concat(resp, CHALLENGE), Arrays.copyOfRange(answer, answer.length - 64, answer.length)))
                .isTrue();
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetCapabilitySigned", u32(signer(4)), CHALLENGE, question)
                .is(ReturnCode.INAPPROPRIATE_SIG);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetCapabilitySigned", u32(signer), CHALLENGE, u32(99), u32(0))
                .is(ReturnCode.BAD_MODE);
    }

    @Test
    void aResetEndsSessionsAndLeavesKeys() {
        int signer = signer(2);
        GuestSession session = tpm.oiap(USAGE_AUTH);
        tpm.send("Reset").is(ReturnCode.SUCCESS);
        tpm.authorized(session, false, "CertifySelfTest", u32(signer), CHALLENGE)
                .is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "CertifySelfTest", u32(signer), CHALLENGE)
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void optionalCommandsThatAreAbsentAreSaidToBe() {
        for (String name : new String[] {"SetRedirection", "FieldUpgrade"}) {
            int ordinal = CommandTable.byName(name).ordinal();
            assertThat(tpm.send("GetCapability", u32(1), sized(u32(ordinal))).parameters())
                    .isEqualTo(sized(u8(0)));
            tpm.send(name, NONE).is(ReturnCode.BAD_ORDINAL);
        }
    }

    private int signer(int scheme) {
        return GuestKey.of(KeyUsage.SIGNING, 0, 1, 1, scheme, 512, NONE).load(tpm);
    }

    private static GuestKey signing(byte[] pcrInfo) {
        return GuestKey.of(KeyUsage.SIGNING, 0, 1, 1, 2, 512, pcrInfo);
    }

    private TestTpm.Response certify(int signer, int key) {
        return tpm.authorized(
                tpm.oiap(USAGE_AUTH), tpm.oiap(USAGE_AUTH), "CertifyKey", u32(signer), u32(key), CHALLENGE);
    }

    private TestTpm.Response certify2(int signer, int key, byte[] migrationPubDigest) {
        return tpm.authorized(
                tpm.oiap(USAGE_AUTH),
                tpm.oiap(USAGE_AUTH),
                "CertifyKey2",
                u32(key),
                u32(signer),
                migrationPubDigest,
                CHALLENGE);
    }

    /** TPM_CERTIFY_INFO2. */
    private static byte[] info2(GuestKey key, int payload, byte[] digests, byte[] pcrs, byte[] authority) {
        byte[] description = Arrays.copyOfRange(key.keyInfo(), 4, KEY_PARMS_END);
        return concat(u16(0x29), u8(0), u8(payload), description, digests, u8(0), sized(pcrs), sized(authority));
    }

    /** A loaded key that one authority, which nobody knows, decides over. */
    private int restricted(GuestKey params) {
        byte[] approval = tpm.authorized(tpm.oiap(OWNER_AUTH), false, "CMK_ApproveMA", AUTHORITIES)
                .is(ReturnCode.SUCCESS)
                .parameters();
        GuestSession session = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, SRK_AUTH);
        return GuestKey.load(
                tpm,
                tpm.authorized(
                                session,
                                false,
                                "CMK_CreateKey",
                                u32(Handles.SRK),
                                tpm.encrypted(session, USAGE_AUTH),
                                params.keyInfo(),
                                approval,
                                AUTHORITIES)
                        .is(ReturnCode.SUCCESS)
                        .parameters());
    }

    private byte[] pubkey(int key) {
        return tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetPubKey", u32(key))
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private byte[] modulusDigest(int key) {
        return Sha1.of(GuestKey.publicKey(pubkey(key)).modulus());
    }

    /** Asserts that an answer is these bytes and a signature over them. */
    private void assertSigned(int signer, byte[] info, byte[] answer) {
        assertThat(Arrays.copyOf(answer, info.length)).isEqualTo(info);
        byte[] signature = sizedPart(Arrays.copyOfRange(answer, info.length, answer.length));
        assertThat(verified(signer, info, signature)).isTrue();
    }

    private boolean verified(int signer, byte[] message, byte[] signature) {
        return rsa.verifySha1(GuestKey.publicKey(pubkey(signer)), Sha1.of(message), signature);
    }

    private static byte[] sizedPart(byte[] parameter) {
        assertThat(number(parameter, 0)).isEqualTo(parameter.length - 4);
        return Arrays.copyOfRange(parameter, 4, parameter.length);
    }
}
