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

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;

class ChangeAuthTest {
    private static final byte[] SRK = u32(Handles.SRK);
    private static final byte[] NEW_AUTH = Sha1.of(u8(61));
    private static final byte[] N1 = Sha1.of(u8(62));
    private static final byte[] CHALLENGE = Sha1.of(u8(63));
    private static final byte[] WRONG = new byte[20];
    private static final int ADCP = 4;
    private static final int ENC_DATA = 256;

    /** TPM_KEY_PARMS of an ephemeral key: OAEP, no signatures, 1024 bits. */
    private static final byte[] EPHEMERAL = HexFormat.of().parseHex("00000001000300010000000c000004000000000200000000");

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void aKeyGetsAnotherSecret() {
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        GuestSession parent = srk();
        GuestSession entity = tpm.oiap(USAGE_AUTH);
        byte[] changed = change(parent, entity, ADCP, EntityType.KEY, encData(wrapped))
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(parent.open).isFalse();
        assertThat(entity.open).isFalse();
        int key = GuestKey.load(tpm, concat(Arrays.copyOf(wrapped, wrapped.length - ENC_DATA - 4), changed));
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "Sign", u32(key), sized(N1)).is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(NEW_AUTH), false, "Sign", u32(key), sized(N1)).is(ReturnCode.SUCCESS);
    }

    @Test
    void sealedDataGetsAnotherSecret() {
        byte[] stored = sealed();
        byte[] changed = change(srk(), tpm.oiap(USAGE_AUTH), ADCP, EntityType.DATA, encData(stored))
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] now = concat(Arrays.copyOf(stored, stored.length - ENC_DATA - 4), changed);
        tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(USAGE_AUTH), "Unseal", SRK, now)
                .is(ReturnCode.AUTH2FAIL);
        tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(NEW_AUTH), "Unseal", SRK, now)
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void keysAndDataAreNotTakenForEachOther() {
        byte[] key = encData(GuestKey.signing().create(tpm).parameters());
        change(srk(), tpm.oiap(USAGE_AUTH), ADCP, EntityType.DATA, key).is(ReturnCode.INVALID_STRUCTURE);
        change(srk(), tpm.oiap(USAGE_AUTH), ADCP, EntityType.KEY, encData(sealed()))
                .is(ReturnCode.INVALID_STRUCTURE);
        change(srk(), tpm.oiap(USAGE_AUTH), ADCP, EntityType.OWNER, key).is(ReturnCode.WRONG_ENTITYTYPE);
        change(srk(), tpm.oiap(USAGE_AUTH), ADCP, EntityType.KEY, new byte[ENC_DATA])
                .is(ReturnCode.DECRYPT_ERROR);
    }

    @Test
    void changingTakesBothSecretsInTheRightSessions() {
        byte[] key = encData(GuestKey.signing().create(tpm).parameters());
        change(srk(), tpm.oiap(WRONG), ADCP, EntityType.KEY, key).is(ReturnCode.AUTH2FAIL);
        change(tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, WRONG), tpm.oiap(USAGE_AUTH), ADCP, EntityType.KEY, key)
                .is(ReturnCode.AUTHFAIL);
        change(tpm.oiap(SRK_AUTH), tpm.oiap(USAGE_AUTH), ADCP, EntityType.KEY, key)
                .is(ReturnCode.BAD_MODE);
        change(srk(), srk(), ADCP, EntityType.KEY, key).is(ReturnCode.BAD_MODE);
        change(srk(), tpm.oiap(USAGE_AUTH), ADCP + 1, EntityType.KEY, key).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void anEphemeralKeyCarriesTheNewSecret() throws RsaException {
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        Ephemeral ephemeral = start();
        byte[] link = Hmac.sha1(USAGE_AUTH, NEW_AUTH);
        byte[] sent = concat(u16(EntityType.KEY), link, sized(ephemeral.encrypt(NEW_AUTH)), sized(encData(wrapped)));
        byte[] answer = finish(OWNER_AUTH, ephemeral.handle, sent)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] outData = Arrays.copyOf(answer, 4 + ENC_DATA);
        byte[] salt = Arrays.copyOfRange(answer, 4 + ENC_DATA, 24 + ENC_DATA);
        assertThat(Arrays.copyOfRange(answer, 24 + ENC_DATA, answer.length)).isEqualTo(Hmac.sha1(NEW_AUTH, salt, N1));
        int key = GuestKey.load(tpm, concat(Arrays.copyOf(wrapped, wrapped.length - ENC_DATA - 4), outData));
        tpm.authorized(tpm.oiap(NEW_AUTH), false, "Sign", u32(key), sized(N1)).is(ReturnCode.SUCCESS);
        tpm.send("GetPubKey", u32(ephemeral.handle)).is(ReturnCode.INVALID_KEYHANDLE);
    }

    @Test
    void sealedDataIsChangedSoToo() throws RsaException {
        byte[] stored = sealed();
        Ephemeral ephemeral = start();
        byte[] link = Hmac.sha1(USAGE_AUTH, NEW_AUTH);
        byte[] sent = concat(u16(EntityType.DATA), link, sized(ephemeral.encrypt(NEW_AUTH)), sized(encData(stored)));
        byte[] answer = finish(OWNER_AUTH, ephemeral.handle, sent)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] now = concat(Arrays.copyOf(stored, stored.length - ENC_DATA - 4), Arrays.copyOf(answer, 4 + ENC_DATA));
        tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(NEW_AUTH), "Unseal", SRK, now)
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void theChangeIsLinkedToTheOldSecret() throws RsaException {
        byte[] key = encData(GuestKey.signing().create(tpm).parameters());
        Ephemeral ephemeral = start();
        byte[] rest = concat(sized(ephemeral.encrypt(NEW_AUTH)), sized(key));
        byte[] link = Hmac.sha1(USAGE_AUTH, NEW_AUTH);
        byte[] right = concat(u16(EntityType.KEY), link, rest);
        finish(OWNER_AUTH, ephemeral.handle, concat(u16(EntityType.KEY), Hmac.sha1(WRONG, NEW_AUTH), rest))
                .is(ReturnCode.AUTHFAIL);
        finish(SRK_AUTH, ephemeral.handle, right).is(ReturnCode.AUTHFAIL);
        finish(OWNER_AUTH, GuestKey.signing().load(tpm), right).is(ReturnCode.BAD_PARAMETER);
        finish(OWNER_AUTH, ephemeral.handle, concat(u16(EntityType.SRK), link, rest))
                .is(ReturnCode.WRONG_ENTITYTYPE);
        tpm.send("ChangeAuthAsymFinish", SRK, u32(ephemeral.handle), right).is(ReturnCode.AUTHFAIL);
        finish(OWNER_AUTH, ephemeral.handle, right).is(ReturnCode.SUCCESS);
    }

    @Test
    void onlyAnIdentityVouchesForAnEphemeralKey() {
        int signing = GuestKey.signing().load(tpm);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "ChangeAuthAsymStart", u32(signing), CHALLENGE, EPHEMERAL)
                .is(ReturnCode.INVALID_KEYUSAGE);
        byte[] tooShort = EPHEMERAL.clone();
        tooShort[14] = 0;
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "ChangeAuthAsymStart", u32(identity()), CHALLENGE, tooShort)
                .is(ReturnCode.BAD_KEY_PROPERTY);
    }

    /** A key that the TPM made for one change. */
    private record Ephemeral(int handle, RsaPublicKey key) {
        byte[] encrypt(byte[] secret) throws RsaException {
            return new Rsa(JavaBigNumberProvider::new, new SecureRandom())
                    .encryptOaep(key, "TCPA".getBytes(StandardCharsets.US_ASCII), concat(secret, N1));
        }
    }

    private Ephemeral start() {
        int identity = identity();
        byte[] answer = tpm.authorized(
                        tpm.oiap(USAGE_AUTH), false, "ChangeAuthAsymStart", u32(identity), CHALLENGE, EPHEMERAL)
                .is(ReturnCode.SUCCESS)
                .parameters();
        int end = 4 + 7 + EPHEMERAL.length + 45;
        byte[] info = Arrays.copyOf(answer, end);
        byte[] key = Arrays.copyOfRange(answer, end + 4 + 256 + 4, answer.length);
        byte[] modulus = Arrays.copyOfRange(key, key.length - 4 - 128, key.length - 4);
        byte[] head = concat(HexFormat.of().parseHex("01010000" + "0013" + "00000004" + "00"), EPHEMERAL);
        assertThat(key).isEqualTo(concat(head, u32(0), sized(modulus), u32(0)));
        assertThat(info).isEqualTo(concat(head, Sha1.of(modulus), CHALLENGE, u8(0), u32(0)));
        byte[] pubkey = tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetPubKey", u32(identity))
                .parameters();
        assertThat(new Rsa(JavaBigNumberProvider::new, new SecureRandom())
                        .verifySha1(
                                GuestKey.publicKey(pubkey),
                                Sha1.of(info),
                                Arrays.copyOfRange(answer, end + 4, end + 260)))
                .isTrue();
        return new Ephemeral(number(answer, end + 260), new RsaPublicKey(modulus, RsaPublicKey.F4));
    }

    private TestTpm.Response finish(byte[] auth, int ephemeral, byte[] rest) {
        return tpm.authorized(tpm.oiap(auth), false, "ChangeAuthAsymFinish", SRK, u32(ephemeral), rest);
    }

    private int identity() {
        return GuestIdentity.load(tpm);
    }

    private GuestSession srk() {
        return tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, SRK_AUTH);
    }

    private TestTpm.Response change(
            GuestSession parent, GuestSession entity, int protocol, int entityType, byte[] encData) {
        return tpm.authorized(
                parent,
                entity,
                "ChangeAuth",
                SRK,
                u16(protocol),
                tpm.encrypted(parent, NEW_AUTH),
                u16(entityType),
                sized(encData));
    }

    private byte[] sealed() {
        GuestSession session = srk();
        return tpm.authorized(
                        session, false, "Seal", SRK, tpm.encrypted(session, USAGE_AUTH), u32(0), sized(new byte[] {1}))
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private static byte[] encData(byte[] blob) {
        return Arrays.copyOfRange(blob, blob.length - ENC_DATA, blob.length);
    }
}
