package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

class IdentityTest {
    private static final byte[] LABEL = Sha1.of(u8(41));
    private static final byte[] SESSION_KEY = concat(u32(6), u16(0xFF), u16(3), new byte[] {7, 8, 9});
    private static final byte[] WRONG = new byte[20];
    private static final GuestKey IDENTITY = GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 2, 2048, new byte[0]);

    private final TestTpm tpm = TestTpm.started();
    private GuestOwner owner;

    @BeforeEach
    void own() {
        owner = GuestOwner.withNewEk(tpm);
        owner.takeOwnership();
    }

    @Test
    void anIdentityIsBoundToItsLabelByItsOwnSignature() throws GeneralSecurityException {
        byte[] answer = make(IDENTITY).is(ReturnCode.SUCCESS).parameters();
        byte[] key = Arrays.copyOf(answer, answer.length - 4 - 256);
        byte[] pubkey = pubkey(GuestKey.load(tpm, key));
        Signature verifier = Signature.getInstance("SHA1withRSA");
        BigInteger modulus = new BigInteger(1, Arrays.copyOfRange(pubkey, pubkey.length - 256, pubkey.length));
        verifier.initVerify(
                KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(modulus, BigInteger.valueOf(65537))));
        verifier.update(concat(HexFormat.of().parseHex("01010000" + "00000079"), LABEL, pubkey));
        assertThat(verifier.verify(Arrays.copyOfRange(answer, answer.length - 256, answer.length)))
                .isTrue();
    }

    @Test
    void onlyIdentityKeysAreMadeSo() {
        make(GuestKey.of(KeyUsage.SIGNING, 0, 1, 1, 2, 2048, new byte[0])).is(ReturnCode.INVALID_KEYUSAGE);
        make(GuestKey.signing()).is(ReturnCode.BAD_KEY_PROPERTY);
        make(IDENTITY.withFlags(GuestKey.MIGRATABLE)).is(ReturnCode.INVALID_KEYUSAGE);
        make(GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 2, 1024, new byte[0])).is(ReturnCode.BAD_KEY_PROPERTY);
        make(GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 3, 2048, new byte[0])).is(ReturnCode.BAD_KEY_PROPERTY);
    }

    @Test
    void makingOneTakesBothSecrets() {
        byte[] rest = concat(LABEL, IDENTITY.keyInfo());
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        tpm.authorized(tpm.oiap(WRONG), session, "MakeIdentity", new byte[20], rest)
                .is(ReturnCode.AUTHFAIL);
        session = tpm.osap(EntityType.OWNER, Handles.OWNER, WRONG);
        tpm.authorized(tpm.oiap(SRK_AUTH), session, "MakeIdentity", new byte[20], rest)
                .is(ReturnCode.AUTH2FAIL);
        session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        tpm.authorized(session, false, "MakeIdentity", new byte[20], rest).is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(OWNER_AUTH), "MakeIdentity", new byte[20], rest)
                .is(ReturnCode.BAD_MODE);
        GuestSession ofAnotherEntity = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, SRK_AUTH);
        tpm.authorized(tpm.oiap(SRK_AUTH), ofAnotherEntity, "MakeIdentity", new byte[20], rest)
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void theSessionKeyOfAnIdentityIsGivenOut() {
        int key = loaded();
        byte[] digest = Sha1.of(pubkey(key));
        assertThat(activate(key, concat(SESSION_KEY, digest))
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(SESSION_KEY);
        activate(key, concat(SESSION_KEY, WRONG)).is(ReturnCode.BAD_PARAMETER);
        activate(key, new byte[0]).is(ReturnCode.INVALID_STRUCTURE);
        activate(key, concat(SESSION_KEY, digest, u8(0))).is(ReturnCode.INVALID_STRUCTURE);
        tpm.authorized(tpm.oiap(USAGE_AUTH), tpm.oiap(OWNER_AUTH), "ActivateIdentity", u32(key), sized(new byte[256]))
                .is(ReturnCode.DECRYPT_ERROR);
    }

    @Test
    void activationIsTiedToPcrsAndLocality() {
        int key = loaded();
        byte[] selection = HexFormat.of().parseHex("0003000001");
        byte[] release = Sha1.of(selection, sized(new byte[20]));
        byte[] digest = Sha1.of(pubkey(key));
        byte[] here = ekBlob(1, concat(u16(0x2B), SESSION_KEY, digest, selection, u8(0x1F), release));
        byte[] elsewhere = ekBlob(1, concat(u16(0x2B), SESSION_KEY, digest, selection, u8(0x08), release));
        assertThat(activate(key, here).is(ReturnCode.SUCCESS).parameters()).isEqualTo(SESSION_KEY);
        activate(key, elsewhere).is(ReturnCode.BAD_LOCALITY);
        activate(key, ekBlob(2, concat(u16(0x0D), WRONG))).is(ReturnCode.BAD_TYPE);
        tpm.send("Extend", u32(16), WRONG).is(ReturnCode.SUCCESS);
        activate(key, here).is(ReturnCode.WRONGPCRVAL);
    }

    @Test
    void activationTakesAnIdentityAndBothSecrets() {
        int key = loaded();
        byte[] blob = sized(owner.encrypt(concat(SESSION_KEY, Sha1.of(pubkey(key)))));
        tpm.authorized(tpm.oiap(WRONG), tpm.oiap(OWNER_AUTH), "ActivateIdentity", u32(key), blob)
                .is(ReturnCode.AUTH2FAIL);
        tpm.authorized(tpm.oiap(USAGE_AUTH), tpm.oiap(WRONG), "ActivateIdentity", u32(key), blob)
                .is(ReturnCode.AUTHFAIL);
        int signing = GuestKey.signing().load(tpm);
        tpm.authorized(tpm.oiap(USAGE_AUTH), tpm.oiap(OWNER_AUTH), "ActivateIdentity", u32(signing), blob)
                .is(ReturnCode.BAD_PARAMETER);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "ActivateIdentity", u32(key), blob)
                .is(ReturnCode.AUTHFAIL);
        GuestSession unknown = tpm.oiap(OWNER_AUTH);
        tpm.send("Terminate_Handle", u32(unknown.handle)).is(ReturnCode.SUCCESS);
        tpm.authorized(unknown, false, "ActivateIdentity", u32(key), blob).is(ReturnCode.INVALID_AUTHHANDLE);
    }

    private TestTpm.Response make(GuestKey params) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        byte[] encrypted = tpm.encrypted(session, USAGE_AUTH);
        return tpm.authorized(tpm.oiap(SRK_AUTH), session, "MakeIdentity", encrypted, LABEL, params.keyInfo());
    }

    private int loaded() {
        byte[] answer = make(IDENTITY).is(ReturnCode.SUCCESS).parameters();
        assertThat(number(answer, answer.length - 260)).isEqualTo(256);
        return GuestKey.load(tpm, Arrays.copyOf(answer, answer.length - 260));
    }

    private byte[] pubkey(int key) {
        return tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetPubKey", u32(key))
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private TestTpm.Response activate(int key, byte[] contents) {
        return tpm.authorized(
                tpm.oiap(USAGE_AUTH),
                tpm.oiap(OWNER_AUTH),
                "ActivateIdentity",
                u32(key),
                sized(owner.encrypt(contents)));
    }

    private static byte[] ekBlob(int type, byte[] content) {
        return concat(u16(0x000C), u16(type), sized(content));
    }
}
