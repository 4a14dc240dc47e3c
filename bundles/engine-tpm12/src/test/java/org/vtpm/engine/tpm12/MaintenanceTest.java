package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestOwner.ANTI_REPLAY;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.PARMS;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_PARAMS;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaKeyGenerator;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;

class MaintenanceTest {
    private static final byte[] OTHER_OWNER_AUTH = Sha1.of(u8(31));
    private static final byte[] LABEL = "TCPA".getBytes(StandardCharsets.US_ASCII);
    private static final int ENC_DATA = 256;
    private static final int DISABLE = 1;
    private static final int ALLOW_MAINTENANCE = 6;
    private static final int MAINTENANCE_DONE = 19;
    private static final Rsa RSA = new Rsa(JavaBigNumberProvider::new, new SecureRandom());

    private static RsaPrivateKey manufacturer;
    private static byte[] manuMaintPub = {};

    private final TestTpm source = TestTpm.started();
    private final TestTpm target = TestTpm.started();
    private byte[] targetSrk = {};

    /** What TPM_CreateMaintenanceArchive gives. */
    private record Archive(byte[] random, byte[] key) {
        static Archive of(TestTpm.Response response) {
            byte[] out = response.is(ReturnCode.SUCCESS).parameters();
            int random = TestTpm.number(out, 0);
            return new Archive(Arrays.copyOfRange(out, 4, 4 + random), Arrays.copyOfRange(out, 8 + random, out.length));
        }
    }

    @BeforeAll
    static void makeManufacturer() {
        manufacturer = new RsaKeyGenerator(JavaBigNumberProvider::new, new SecureRandom()).generate(2048, 65537);
        manuMaintPub = concat(PARMS, sized(manufacturer.publicKey().modulus()));
    }

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(source).takeOwnership();
        targetSrk = own(target, OWNER_AUTH);
    }

    @Test
    void anArchiveMovesTheWholeHierarchyIntoAnotherTpm() {
        loadManuMaintPubs();
        byte[] parent = GuestKey.storage().create(source).parameters();
        byte[] child = GuestKey.signing()
                .create(source, GuestKey.load(source, parent), GuestKey.USAGE_AUTH)
                .is(ReturnCode.SUCCESS)
                .parameters();
        Archive archive = create(true);
        assertThat(archive.random()).hasSize(198);

        load(packet(archive)).is(ReturnCode.SUCCESS);

        enable(target);
        assertSignsWith(parent, child);
    }

    /** Without a random pad both TPMs must have the same owner, from whose secret it follows. */
    @Test
    void anArchiveUnderTheOwnersSecretNeedsNoPad() {
        loadManuMaintPubs();
        byte[] parent = GuestKey.storage().create(source).parameters();
        byte[] child = GuestKey.signing()
                .create(source, GuestKey.load(source, parent), GuestKey.USAGE_AUTH)
                .parameters();
        Archive archive = create(false);
        assertThat(archive.random()).isEmpty();

        load(packet(archive)).is(ReturnCode.SUCCESS);

        enable(target);
        assertSignsWith(parent, child);
    }

    @Test
    void theOwnerComesWithTheArchive() {
        loadManuMaintPubs();
        target.authorized(target.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        enable(target);
        targetSrk = own(target, OTHER_OWNER_AUTH);
        byte[] own = GuestKey.signing().create(target).is(ReturnCode.SUCCESS).parameters();
        byte[] packet = packet(create(true));
        load(OWNER_AUTH, packet).is(ReturnCode.AUTHFAIL);
        load(OTHER_OWNER_AUTH, packet).is(ReturnCode.SUCCESS);

        enable(target);
        target.authorized(target.oiap(OTHER_OWNER_AUTH), false, "OwnerReadPubek")
                .is(ReturnCode.AUTHFAIL);
        target.authorized(target.oiap(OWNER_AUTH), false, "OwnerReadPubek").is(ReturnCode.SUCCESS);
        GuestKey.load(target, Handles.SRK, OWNER_AUTH, own).is(ReturnCode.DECRYPT_ERROR);
    }

    @Test
    void loadingClearsTheOldOwnerAndIsStored() {
        loadManuMaintPubs();
        byte[] packet = packet(create(true));
        load(packet).is(ReturnCode.SUCCESS);
        assertThat(flag(target, DISABLE)).isTrue();
        assertThat(flag(target, MAINTENANCE_DONE)).isTrue();
        assertThat(flag(source, MAINTENANCE_DONE)).isTrue();
        target.powerCycle();
        target.startup(StartupMode.CLEAR);
        enable(target);
        target.send("PhysicalSetDeactivated", u8(0)).is(ReturnCode.SUCCESS);
        target.powerCycle();
        target.startup(StartupMode.CLEAR);
        target.authorized(target.oiap(OWNER_AUTH), false, "OwnerReadPubek").is(ReturnCode.SUCCESS);
        load(packet).is(ReturnCode.DECRYPT_ERROR);
    }

    @Test
    void onlyTheManufacturerHandsArchivesOn() throws RsaException {
        Archive archive = archiveOfSource();
        byte[] packet = packet(archive);
        load(packet).is(ReturnCode.KEYNOTFOUND);
        loadManuMaintPub(target).is(ReturnCode.SUCCESS);
        byte[] forged = packet.clone();
        forged[forged.length - 1] ^= 1;
        load(forged).is(ReturnCode.BAD_SIGNATURE);
        byte[] otherPad = packet.clone();
        otherPad[packet.length - 300] ^= 1;
        load(otherPad).is(ReturnCode.BAD_SIGNATURE);
        load(Arrays.copyOf(packet, packet.length - 1)).is(ReturnCode.BAD_PARAMETER);
        load(new byte[0]).is(ReturnCode.BAD_PARAMETER);
        load(signed(content(archive, new byte[198]))).is(ReturnCode.DECRYPT_ERROR);
        load(signed(content(archive, new byte[197]))).is(ReturnCode.BAD_PARAMETER);
        load(signed(content(archive, new byte[0]))).is(ReturnCode.DECRYPT_ERROR);
        load(signed(concat(archive.key(), sized(archive.random())))).is(ReturnCode.DECRYPT_ERROR);
        load(packet).is(ReturnCode.SUCCESS);
    }

    @Test
    void anArchiveBelongsToItsPublicKey() throws RsaException {
        loadManuMaintPubs();
        Archive archive = create(true);
        byte[] other = archive.key().clone();
        other[other.length - ENC_DATA - 5] ^= 2; // the end of the modulus
        load(signed(content(new Archive(archive.random(), other), archive.random())))
                .is(ReturnCode.BAD_PARAMETER);
        byte[] migratable = archive.key().clone();
        migratable[9] = 2;
        load(signed(content(new Archive(archive.random(), migratable), archive.random())))
                .is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void withoutAManufacturerThereIsNoArchive() {
        createAuthorized(OWNER_AUTH, true).is(ReturnCode.KEYNOTFOUND);
        createAuthorized(SRK_AUTH, true).is(ReturnCode.AUTHFAIL);
        source.send("ReadManuMaintPub", ANTI_REPLAY).is(ReturnCode.KEYNOTFOUND);
    }

    @Test
    void theManufacturersKeyIsLoadedOnceForEver() {
        byte[] checksum = Sha1.of(manuMaintPub, ANTI_REPLAY);
        assertThat(loadManuMaintPub(source).is(ReturnCode.SUCCESS).parameters()).isEqualTo(checksum);
        loadManuMaintPub(source).is(ReturnCode.DISABLED_CMD);
        source.authorized(source.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        enable(source);
        source.powerCycle();
        source.startup(StartupMode.CLEAR);
        enable(source);
        source.send("PhysicalSetDeactivated", u8(0)).is(ReturnCode.SUCCESS);
        source.powerCycle();
        source.startup(StartupMode.CLEAR);
        loadManuMaintPub(source).is(ReturnCode.DISABLED_CMD);
        assertThat(source.send("ReadManuMaintPub", ANTI_REPLAY)
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(checksum);
    }

    @Test
    void theManufacturersKeyIsStrongAndEncrypts() {
        byte[] pkcs1 = manuMaintPub.clone();
        pkcs1[5] = 2;
        source.send("LoadManuMaintPub", ANTI_REPLAY, pkcs1).is(ReturnCode.INAPPROPRIATE_ENC);
        byte[] shortKey =
                concat(PARMS, sized(Arrays.copyOf(manufacturer.publicKey().modulus(), 128)));
        shortKey[14] = 4;
        source.send("LoadManuMaintPub", ANTI_REPLAY, shortKey).is(ReturnCode.BAD_KEY_PROPERTY);
        loadManuMaintPub(source).is(ReturnCode.SUCCESS);
    }

    @Test
    void theOwnerEndsMaintenanceUntilThereIsAnother() {
        loadManuMaintPub(source).is(ReturnCode.SUCCESS);
        source.authorized(source.oiap(SRK_AUTH), false, "KillMaintenanceFeature")
                .is(ReturnCode.AUTHFAIL);
        source.authorized(source.oiap(OWNER_AUTH), false, "KillMaintenanceFeature")
                .is(ReturnCode.SUCCESS);
        createAuthorized(OWNER_AUTH, true).is(ReturnCode.DISABLED_CMD);
        source.authorized(source.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        assertThat(flag(source, ALLOW_MAINTENANCE)).isTrue();
        enable(source);
        own(source, OWNER_AUTH);
        createAuthorized(OWNER_AUTH, false).is(ReturnCode.SUCCESS);
    }

    private static byte[] own(TestTpm tpm, byte[] ownerAuth) {
        GuestOwner owner =
                tpm.send("ReadPubek", ANTI_REPLAY).code() == 0 ? GuestOwner.withEk(tpm) : GuestOwner.withNewEk(tpm);
        byte[] srk = owner.takeOwnership(ownerAuth, SRK_AUTH, SRK_PARAMS)
                .is(ReturnCode.SUCCESS)
                .parameters();
        return Arrays.copyOfRange(srk, srk.length - 4 - ENC_DATA, srk.length - 4);
    }

    private static void enable(TestTpm tpm) {
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
    }

    private void loadManuMaintPubs() {
        loadManuMaintPub(source).is(ReturnCode.SUCCESS);
        loadManuMaintPub(target).is(ReturnCode.SUCCESS);
    }

    private static TestTpm.Response loadManuMaintPub(TestTpm tpm) {
        return tpm.send("LoadManuMaintPub", ANTI_REPLAY, manuMaintPub);
    }

    private Archive archiveOfSource() {
        loadManuMaintPub(source).is(ReturnCode.SUCCESS);
        return create(true);
    }

    private Archive create(boolean generateRandom) {
        return Archive.of(createAuthorized(OWNER_AUTH, generateRandom));
    }

    private TestTpm.Response createAuthorized(byte[] ownerAuth, boolean generateRandom) {
        return source.authorized(source.oiap(ownerAuth), false, "CreateMaintenanceArchive", u8(generateRandom ? 1 : 0));
    }

    private TestTpm.Response load(byte[] dataIn) {
        return load(OWNER_AUTH, dataIn);
    }

    private TestTpm.Response load(byte[] ownerAuth, byte[] dataIn) {
        return target.authorized(target.oiap(ownerAuth), false, "LoadMaintenanceArchive", sized(dataIn));
    }

    /** What the manufacturer makes of an archive for the target. */
    private byte[] packet(Archive archive) {
        try {
            return signed(content(archive, archive.random()));
        } catch (RsaException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] content(Archive archive, byte[] random) throws RsaException {
        int encData = archive.key().length - ENC_DATA;
        byte[] inner =
                RSA.decryptOaep(manufacturer, LABEL, Arrays.copyOfRange(archive.key(), encData, archive.key().length));
        byte[] forTarget = RSA.encryptOaep(new RsaPublicKey(targetSrk, RsaPublicKey.F4), LABEL, inner);
        return concat(Arrays.copyOf(archive.key(), encData), forTarget, sized(random));
    }

    private static byte[] signed(byte[] content) throws RsaException {
        return concat(content, sized(RSA.signSha1(manufacturer, Sha1.of(content))));
    }

    /** The keys work in the target; its storage root key has the secret of the source's owner now. */
    private void assertSignsWith(byte[] parent, byte[] child) {
        int parentHandle = TestTpm.number(
                GuestKey.load(target, Handles.SRK, OWNER_AUTH, parent)
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                0);
        int handle = TestTpm.number(
                GuestKey.load(target, parentHandle, GuestKey.USAGE_AUTH, child)
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                0);
        byte[] digest = Sha1.of(u32(1));
        byte[] signature = target.authorized(
                        target.oiap(GuestKey.USAGE_AUTH), false, "Sign", u32(handle), sized(digest))
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] pubkey = target.authorized(target.oiap(GuestKey.USAGE_AUTH), false, "GetPubKey", u32(handle))
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(RSA.verifySha1(
                        GuestKey.publicKey(pubkey), digest, Arrays.copyOfRange(signature, 4, signature.length)))
                .isTrue();
        byte[] sourcePubkey = source.authorized(
                        source.oiap(GuestKey.USAGE_AUTH),
                        false,
                        "GetPubKey",
                        u32(TestTpm.number(
                                GuestKey.load(source, GuestKey.load(source, parent), GuestKey.USAGE_AUTH, child)
                                        .is(ReturnCode.SUCCESS)
                                        .parameters(),
                                0)))
                .parameters();
        assertThat(pubkey).isEqualTo(sourcePubkey);
    }

    /** A permanent flag by the number that TPM_SetCapability gives it. */
    private static boolean flag(TestTpm tpm, int number) {
        byte[] flags = tpm.send("GetCapability", u32(4), sized(u32(0x108)))
                .is(ReturnCode.SUCCESS)
                .parameters();
        return flags[4 + 2 + number - 1] != 0;
    }
}
