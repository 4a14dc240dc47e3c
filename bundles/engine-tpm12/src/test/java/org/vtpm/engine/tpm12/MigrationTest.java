package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.MIGRATABLE;
import static org.vtpm.engine.tpm12.GuestKey.MIGRATION_AUTH;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.PARMS;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

class MigrationTest {
    private static final int MIGRATE = 1;
    private static final int REWRAP = 2;
    private static final int ENC_DATA = 256;

    private final TestTpm source = TestTpm.started();
    private final TestTpm target = TestTpm.started();
    private byte[] targetSrk = {};

    /** What TPM_CreateMigrationBlob gives. */
    private record Blob(byte[] random, byte[] data) {
        static Blob of(TestTpm.Response response) {
            byte[] out = response.is(ReturnCode.SUCCESS).parameters();
            int random = TestTpm.number(out, 0);
            return new Blob(Arrays.copyOfRange(out, 4, 4 + random), Arrays.copyOfRange(out, 8 + random, out.length));
        }
    }

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(source).takeOwnership();
        targetSrk = concat(PARMS, sized(GuestOwner.withNewEk(target).takeOwnership()));
    }

    @Test
    void aKeyMovesFromOneTpmToAnother() {
        byte[] wrapped = migratable();
        Blob blob = Blob.of(create(MIGRATE, authorize(MIGRATE, targetSrk), encData(wrapped), MIGRATION_AUTH));
        assertThat(blob.random()).hasSize(198 - 128 + 32);
        assertMoved(wrapped, convert(target, blob).is(ReturnCode.SUCCESS).parameters());
    }

    @Test
    void aKeyIsRewrappedForAnotherTpm() {
        byte[] wrapped = migratable();
        Blob blob = Blob.of(create(REWRAP, authorize(REWRAP, targetSrk), encData(wrapped), MIGRATION_AUTH));
        assertThat(blob.random()).isEmpty();
        assertMoved(wrapped, sized(blob.data()));
    }

    @Test
    void aMigrationAuthorityHandsAKeyOn() {
        int authority =
                GuestKey.of(KeyUsage.MIGRATE, 0, 1, 3, 1, 2048, new byte[0]).load(target);
        byte[] authorityKey = target.authorized(target.oiap(USAGE_AUTH), false, "GetPubKey", u32(authority))
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] wrapped = migratable();
        Blob blob = Blob.of(create(MIGRATE, authorize(MIGRATE, authorityKey), encData(wrapped), MIGRATION_AUTH));
        byte[] handedOn = migrateKey(authority, targetSrk, blob.data())
                .is(ReturnCode.SUCCESS)
                .parameters();
        Blob arrived = new Blob(blob.random(), Arrays.copyOfRange(handedOn, 4, handedOn.length));
        assertMoved(wrapped, convert(target, arrived).is(ReturnCode.SUCCESS).parameters());
    }

    @Test
    void onlyMigrationKeysHandOn() {
        int storage = GuestKey.storage().load(target);
        migrateKey(storage, targetSrk, new byte[256]).is(ReturnCode.INVALID_KEYUSAGE);
        int authority =
                GuestKey.of(KeyUsage.MIGRATE, 0, 1, 3, 1, 2048, new byte[0]).load(target);
        migrateKey(authority, targetSrk, new byte[256]).is(ReturnCode.DECRYPT_ERROR);
        migrateKey(authority, targetSrk, new byte[257]).is(ReturnCode.BAD_DATASIZE);
    }

    @Test
    void aKeyLeavesOnlyWithItsMigrationSecretAndTheOwnersWord() {
        byte[] wrapped = encData(migratable());
        byte[] destination = authorize(MIGRATE, targetSrk);
        create(MIGRATE, destination, wrapped, USAGE_AUTH).is(ReturnCode.AUTH2FAIL);
        byte[] forged = destination.clone();
        forged[forged.length - 1] ^= 1;
        create(MIGRATE, forged, wrapped, MIGRATION_AUTH).is(ReturnCode.AUTHFAIL);
        create(3, destination, wrapped, MIGRATION_AUTH).is(ReturnCode.BAD_PARAMETER);
        source.authorized(
                        source.oiap(SRK_AUTH),
                        source.osap(EntityType.SRK, 0, SRK_AUTH),
                        "CreateMigrationBlob",
                        u32(Handles.SRK),
                        u16(MIGRATE),
                        destination,
                        sized(wrapped))
                .is(ReturnCode.BAD_MODE);
    }

    @Test
    void withoutAuthorisationOfTheParentOnlyOpenParentsServe() {
        byte[] destination = authorize(MIGRATE, targetSrk);
        int open = GuestKey.storage().withFlags(MIGRATABLE).withAuthDataUsage(0).load(source);
        byte[] child = encData(GuestKey.signing()
                .withFlags(MIGRATABLE)
                .create(source, open, USAGE_AUTH)
                .is(ReturnCode.SUCCESS)
                .parameters());
        createUnauthorized(Handles.SRK, destination, child).is(ReturnCode.AUTHFAIL);
        createUnauthorized(open, destination, child).is(ReturnCode.SUCCESS);
    }

    @Test
    void aKeyThatCannotMoveStays() {
        byte[] wrapped = GuestKey.signing().create(source).parameters();
        create(MIGRATE, authorize(MIGRATE, targetSrk), encData(wrapped), MIGRATION_AUTH)
                .is(ReturnCode.AUTH2FAIL);
    }

    @Test
    void blobAndPadBelongTogether() {
        byte[] wrapped = encData(migratable());
        byte[] destination = authorize(MIGRATE, targetSrk);
        Blob one = Blob.of(create(MIGRATE, destination, wrapped, MIGRATION_AUTH));
        Blob other = Blob.of(create(MIGRATE, destination, wrapped, MIGRATION_AUTH));
        // One pad in 255 leaves what looks like padding, around what is no key.
        assertThat(convert(target, new Blob(other.random(), one.data())).code())
                .isIn(ReturnCode.DECRYPT_ERROR.code(), ReturnCode.INVALID_STRUCTURE.code());
        convert(target, new Blob(new byte[20], one.data())).is(ReturnCode.BAD_PARAMETER);
        convert(source, one).is(ReturnCode.DECRYPT_ERROR);
    }

    @Test
    void theOwnerAuthorisesStrongKeysOnly() {
        byte[] shortKey = targetSrk.clone();
        shortKey[14] = 4; // 1024 bits
        byte[] pkcs1 = targetSrk.clone();
        pkcs1[5] = 2;
        authorized(MIGRATE, shortKey, OWNER_AUTH).is(ReturnCode.BAD_KEY_PROPERTY);
        authorized(MIGRATE, pkcs1, OWNER_AUTH).is(ReturnCode.INAPPROPRIATE_ENC);
        authorized(MIGRATE, targetSrk, SRK_AUTH).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void clearingTheOwnerTakesTheAuthorisationBack() {
        byte[] destination = authorize(MIGRATE, targetSrk);
        source.authorized(source.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        source.presence();
        source.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        GuestOwner.withEk(source).takeOwnership();
        create(MIGRATE, destination, encData(migratable()), MIGRATION_AUTH).is(ReturnCode.AUTHFAIL);
    }

    private byte[] migratable() {
        return GuestKey.signing()
                .withFlags(MIGRATABLE)
                .create(source)
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private static byte[] encData(byte[] wrapped) {
        return Arrays.copyOfRange(wrapped, wrapped.length - ENC_DATA, wrapped.length);
    }

    private TestTpm.Response authorized(int scheme, byte[] key, byte[] ownerAuth) {
        return source.authorized(source.oiap(ownerAuth), false, "AuthorizeMigrationKey", u16(scheme), key);
    }

    private byte[] authorize(int scheme, byte[] key) {
        return authorized(scheme, key, OWNER_AUTH).is(ReturnCode.SUCCESS).parameters();
    }

    private TestTpm.Response create(int type, byte[] destination, byte[] encData, byte[] migrationAuth) {
        return source.authorized(
                source.oiap(SRK_AUTH),
                source.oiap(migrationAuth),
                "CreateMigrationBlob",
                u32(Handles.SRK),
                u16(type),
                destination,
                sized(encData));
    }

    private TestTpm.Response createUnauthorized(int parent, byte[] destination, byte[] encData) {
        return source.authorized(
                source.oiap(MIGRATION_AUTH),
                false,
                "CreateMigrationBlob",
                u32(parent),
                u16(MIGRATE),
                destination,
                sized(encData));
    }

    private static TestTpm.Response convert(TestTpm tpm, Blob blob) {
        return tpm.authorized(
                tpm.oiap(SRK_AUTH),
                false,
                "ConvertMigrationBlob",
                u32(Handles.SRK),
                sized(blob.data()),
                sized(blob.random()));
    }

    private TestTpm.Response migrateKey(int authority, byte[] destination, byte[] blob) {
        return target.authorized(
                target.oiap(USAGE_AUTH), false, "MigrateKey", u32(authority), destination, sized(blob));
    }

    /** The key works in the target TPM with its old secrets, also the one that lets it move on. */
    private void assertMoved(byte[] wrapped, byte[] newEncData) {
        byte[] moved = concat(Arrays.copyOf(wrapped, wrapped.length - ENC_DATA - Integer.BYTES), newEncData);
        int key = GuestKey.load(target, moved);
        byte[] pubkey = target.authorized(target.oiap(USAGE_AUTH), false, "GetPubKey", u32(key))
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(pubkey).endsWith(Arrays.copyOfRange(wrapped, moved.length - ENC_DATA - 68, moved.length - 260));
        byte[] destination = target.authorized(
                        target.oiap(OWNER_AUTH), false, "AuthorizeMigrationKey", u16(REWRAP), targetSrk)
                .is(ReturnCode.SUCCESS)
                .parameters();
        target.authorized(
                        target.oiap(SRK_AUTH),
                        target.oiap(MIGRATION_AUTH),
                        "CreateMigrationBlob",
                        u32(Handles.SRK),
                        u16(REWRAP),
                        destination,
                        sized(encData(moved)))
                .is(ReturnCode.SUCCESS);
    }
}
