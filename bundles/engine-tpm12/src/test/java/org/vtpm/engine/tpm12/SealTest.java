package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;

/** Sealing, unsealing, and the change of what unseals. */
class SealTest {
    private static final byte[] SECRET = "what nobody else may know".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DATA_AUTH = Sha1.of(u8(41));
    private static final byte[] NEW_AUTH = Sha1.of(u8(42));
    private static final byte[] PCR_16 = HexFormat.of().parseHex("0003000001");
    private static final byte[] NOTHING = {};

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void sealedDataComesBackWithItsSecretOnly() {
        byte[] sealed = seal("Seal", NOTHING, SECRET).is(ReturnCode.SUCCESS).parameters();
        assertThat(Arrays.copyOf(sealed, 8)).isEqualTo(HexFormat.of().parseHex("0101000000000000"));
        assertThat(unseal(sealed, DATA_AUTH).is(ReturnCode.SUCCESS).parameters())
                .isEqualTo(sized(SECRET));
        unseal(sealed, NEW_AUTH).is(ReturnCode.AUTH2FAIL);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "Unseal", u32(Handles.SRK), sealed)
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void onlyAFixedStorageKeySeals() {
        int signing = GuestKey.signing().load(tpm);
        seal(signing, GuestKey.USAGE_AUTH, "Seal", NOTHING, SECRET).is(ReturnCode.INVALID_KEYUSAGE);
        int migratable = GuestKey.storage().withFlags(GuestKey.MIGRATABLE).load(tpm);
        seal(migratable, GuestKey.USAGE_AUTH, "Seal", NOTHING, SECRET).is(ReturnCode.INVALID_KEYUSAGE);
        seal("Seal", NOTHING, NOTHING).is(ReturnCode.BAD_PARAMETER);
        tpm.authorized(
                        tpm.oiap(GuestOwner.SRK_AUTH),
                        false,
                        "Seal",
                        u32(Handles.SRK),
                        DATA_AUTH,
                        sized(NOTHING),
                        sized(SECRET))
                .is(ReturnCode.BAD_MODE);
    }

    @Test
    void asMuchIsSealedAsTheKeyCanEncrypt() {
        byte[] most = new byte[256 - 42 - 65];
        byte[] sealed = seal("Seal", NOTHING, most).is(ReturnCode.SUCCESS).parameters();
        assertThat(unseal(sealed, DATA_AUTH).is(ReturnCode.SUCCESS).parameters())
                .isEqualTo(sized(most));
        seal("Seal", NOTHING, new byte[most.length + 1]).is(ReturnCode.BAD_DATASIZE);
    }

    @Test
    void pcrsAtReleaseAreChecked() {
        byte[] atRelease = Sha1.of(PCR_16, sized(new byte[20]));
        byte[] sealed = seal("Seal", concat(PCR_16, atRelease, new byte[20]), SECRET)
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(Arrays.copyOfRange(sealed, 8 + PCR_16.length + 20, 8 + PCR_16.length + 40))
                .as("digestAtCreation is the TPM's own")
                .isEqualTo(atRelease);
        unseal(sealed, DATA_AUTH).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(16), Sha1.of(u8(1))).is(ReturnCode.SUCCESS);
        unseal(sealed, DATA_AUTH).is(ReturnCode.WRONGPCRVAL);
    }

    @Test
    void localitiesAtReleaseAreChecked() {
        byte[] noPcr = HexFormat.of().parseHex("0003000000");
        byte[] info = concat(u16(6), u8(0x1F), u8(0x04), noPcr, noPcr, new byte[40]);
        byte[] sealed = seal("Seal", info, SECRET).is(ReturnCode.SUCCESS).parameters();
        assertThat(Arrays.copyOf(sealed, 4)).isEqualTo(HexFormat.of().parseHex("00160000"));
        assertThat(sealed[10]).as("localityAtCreation").isEqualTo((byte) 1);
        unseal(sealed, DATA_AUTH).is(ReturnCode.BAD_LOCALITY);
    }

    @Test
    void malformedConditionsAreRefused() {
        seal("Seal", PCR_16, SECRET).is(ReturnCode.BADINDEX);
        seal("Seal", concat(u16(6), u8(1), u8(1), PCR_16), SECRET).is(ReturnCode.BADINDEX);
        seal("Sealx", concat(PCR_16, new byte[40]), SECRET).is(ReturnCode.BADINDEX);
    }

    @Test
    void aChangedBlobWasNotSealedHere() {
        byte[] sealed = seal("Seal", NOTHING, SECRET).is(ReturnCode.SUCCESS).parameters();
        byte[] ciphertext = sealed.clone();
        ciphertext[sealed.length - 1] ^= 1;
        unseal(ciphertext, DATA_AUTH).is(ReturnCode.NOTSEALED_BLOB);
        byte[] revision = sealed.clone();
        revision[3] ^= 1;
        unseal(revision, DATA_AUTH).is(ReturnCode.NOTSEALED_BLOB);
        byte[] version = sealed.clone();
        version[0] ^= 1;
        unseal(version, DATA_AUTH).is(ReturnCode.BAD_VERSION);
    }

    @Test
    void anotherOwnersDataStayClosed() {
        byte[] sealed = seal("Seal", NOTHING, SECRET).is(ReturnCode.SUCCESS).parameters();
        tpm.authorized(tpm.oiap(GuestOwner.OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalSetDeactivated", u8(0)).is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        GuestOwner.withEk(tpm).takeOwnership();
        unseal(sealed, DATA_AUTH).is(ReturnCode.NOTSEALED_BLOB);
    }

    @Test
    void sealxCoversTheDataBothWays() {
        GuestSession session = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, GuestOwner.SRK_AUTH);
        byte[] encAuth = tpm.encrypted(session, DATA_AUTH);
        byte[] covered = cover(session, SECRET);
        byte[] sealed = tpm.authorized(
                        session, false, "Sealx", u32(Handles.SRK), encAuth, sized(NOTHING), sized(covered))
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(Arrays.copyOf(sealed, 4)).isEqualTo(HexFormat.of().parseHex("00160005"));

        GuestSession parent = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, GuestOwner.SRK_AUTH);
        GuestSession data = tpm.oiap(DATA_AUTH);
        byte[] pad = cover(parent, new byte[SECRET.length]);
        byte[] answer = tpm.authorized(parent, data, "Unseal", u32(Handles.SRK), sealed)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] secret = Arrays.copyOfRange(answer, 4, answer.length);
        for (int i = 0; i < secret.length; i++) {
            secret[i] ^= pad[i];
        }
        assertThat(secret).isEqualTo(SECRET);
        unseal(sealed, DATA_AUTH).is(ReturnCode.BAD_MODE);
    }

    @Test
    void theSecretThatUnsealsCanBeChanged() {
        byte[] sealed = seal("Seal", NOTHING, SECRET).is(ReturnCode.SUCCESS).parameters();
        byte[] front = Arrays.copyOf(sealed, sealed.length - 256);
        byte[] encData = Arrays.copyOfRange(sealed, sealed.length - 256, sealed.length);
        byte[] changed = changeAuth(4, EntityType.DATA, encData, DATA_AUTH)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] resealed = concat(front, Arrays.copyOfRange(changed, 4, changed.length));
        unseal(resealed, NEW_AUTH).is(ReturnCode.SUCCESS);
        unseal(resealed, DATA_AUTH).is(ReturnCode.AUTH2FAIL);
        changeAuth(4, EntityType.DATA, encData, NEW_AUTH).is(ReturnCode.AUTH2FAIL);
        changeAuth(4, EntityType.KEY, encData, DATA_AUTH).is(ReturnCode.INVALID_STRUCTURE);
        changeAuth(4, EntityType.OWNER, encData, DATA_AUTH).is(ReturnCode.WRONG_ENTITYTYPE);
        changeAuth(5, EntityType.DATA, encData, DATA_AUTH).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void theSecretOfAKeyCanBeChanged() {
        byte[] wrapped = GuestKey.signing().create(tpm).is(ReturnCode.SUCCESS).parameters();
        byte[] encData = Arrays.copyOfRange(wrapped, wrapped.length - 256, wrapped.length);
        byte[] changed = changeAuth(4, EntityType.KEY, encData, GuestKey.USAGE_AUTH)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] rewrapped =
                concat(Arrays.copyOf(wrapped, wrapped.length - 256), Arrays.copyOfRange(changed, 4, changed.length));
        int key = GuestKey.load(tpm, rewrapped);
        tpm.authorized(tpm.oiap(GuestKey.USAGE_AUTH), false, "Sign", u32(key), sized(new byte[20]))
                .is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(NEW_AUTH), false, "Sign", u32(key), sized(new byte[20]))
                .is(ReturnCode.SUCCESS);
    }

    private TestTpm.Response seal(String command, byte[] pcrInfo, byte[] data) {
        return seal(Handles.SRK, GuestOwner.SRK_AUTH, command, pcrInfo, data);
    }

    private TestTpm.Response seal(int key, byte[] keyAuth, String command, byte[] pcrInfo, byte[] data) {
        GuestSession session = tpm.osap(EntityType.KEY_HANDLE, key, keyAuth);
        return tpm.authorized(
                session, false, command, u32(key), tpm.encrypted(session, DATA_AUTH), sized(pcrInfo), sized(data));
    }

    private TestTpm.Response unseal(byte[] sealed, byte[] dataAuth) {
        return tpm.authorized(tpm.oiap(GuestOwner.SRK_AUTH), tpm.oiap(dataAuth), "Unseal", u32(Handles.SRK), sealed);
    }

    private TestTpm.Response changeAuth(int protocol, int entityType, byte[] encData, byte[] oldAuth) {
        GuestSession parent = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, GuestOwner.SRK_AUTH);
        return tpm.authorized(
                parent,
                tpm.oiap(oldAuth),
                "ChangeAuth",
                u32(Handles.SRK),
                u16(protocol),
                tpm.encrypted(parent, NEW_AUTH),
                u16(entityType),
                sized(encData));
    }

    /** The pad of the next command in an OSAP session. */
    private byte[] cover(GuestSession session, byte[] data) {
        byte[] seed = concat(
                session.nonceEven, tpm.nonceOdd(session), "XOR".getBytes(StandardCharsets.US_ASCII), session.key);
        byte[] covered = Mgf1.sha1(seed, data.length);
        for (int i = 0; i < data.length; i++) {
            covered[i] ^= data[i];
        }
        return covered;
    }
}
