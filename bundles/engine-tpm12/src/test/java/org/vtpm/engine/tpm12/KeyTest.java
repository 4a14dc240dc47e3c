package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.MIGRATABLE;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

class KeyTest {
    private static final int KEY = 1;
    private static final int OWNER_EVICT = 1;
    private static final int FREE_SLOTS = 0x104;
    private static final int PUBKEY_512 = 24 + 4 + 64;
    private static final byte[] WRONG = new byte[20];

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void theRevisionsOfItsVersionAreAPartOfAKey() {
        byte[] wrapped = GuestKey.signing().create(tpm).is(ReturnCode.SUCCESS).parameters();
        wrapped[3] ^= 1;
        GuestKey.load(tpm, Handles.SRK, SRK_AUTH, wrapped).is(ReturnCode.AUTHFAIL);
        wrapped[3] ^= 1;
        GuestKey.load(tpm, Handles.SRK, SRK_AUTH, wrapped).is(ReturnCode.SUCCESS);
    }

    @Test
    void theOlderWayOfLoadingAuthorisesTheHandleToo() {
        byte[] wrapped = GuestKey.signing().create(tpm).is(ReturnCode.SUCCESS).parameters();
        byte[] handle = tpm.authorized(tpm.oiap(GuestOwner.SRK_AUTH), false, "LoadKey", u32(Handles.SRK), wrapped)
                .is(ReturnCode.SUCCESS)
                .parameters();
        tpm.send("EvictKey", handle).is(ReturnCode.SUCCESS);
    }

    @Test
    void aKeyIsMadeLoadedAndRead() {
        byte[] wrapped = GuestKey.signing().create(tpm).is(ReturnCode.SUCCESS).parameters();
        byte[] asked = GuestKey.signing().keyInfo();
        assertThat(wrapped).startsWith(Arrays.copyOf(asked, asked.length - 8)).hasSize(asked.length + 64 + 256);
        int key = GuestKey.load(tpm, wrapped);
        byte[] pubkey = tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetPubKey", u32(key))
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(pubkey)
                .hasSize(PUBKEY_512)
                .endsWith(Arrays.copyOfRange(wrapped, asked.length - 4, asked.length + 60));
    }

    @Test
    void theSessionThatEncryptedSecretsEnds() {
        GuestSession session = tpm.osap(EntityType.SRK, 0, SRK_AUTH);
        byte[] info = GuestKey.signing().keyInfo();
        tpm.authorized(session, true, "CreateWrapKey", u32(Handles.SRK), new byte[40], info)
                .is(ReturnCode.SUCCESS);
        assertThat(session.open).isFalse();
        tpm.authorized(tpm.oiap(SRK_AUTH), true, "CreateWrapKey", u32(Handles.SRK), new byte[40], info)
                .is(ReturnCode.BAD_MODE);
    }

    @Test
    void keysThatOtherCommandsMakeAreRefused() {
        GuestKey key = GuestKey.signing();
        GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 2, 2048, new byte[0])
                .create(tpm)
                .is(ReturnCode.INVALID_KEYUSAGE);
        GuestKey.of(KeyUsage.AUTHCHANGE, 0, 1, 3, 1, 1024, new byte[0])
                .create(tpm)
                .is(ReturnCode.INVALID_KEYUSAGE);
        key.withFlags(0x12).create(tpm).is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void propertiesThatDoNotFitTheUsageAreRefused() {
        GuestKey.of(KeyUsage.SIGNING, 0, 1, 3, 2, 512, new byte[0]).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
        GuestKey.of(KeyUsage.STORAGE, 0, 1, 3, 1, 1024, new byte[0]).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
        GuestKey.of(KeyUsage.BIND, 0, 1, 3, 2, 1024, new byte[0]).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
        GuestKey.of(KeyUsage.LEGACY, 0, 1, 2, 4, 1024, new byte[0]).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
        GuestKey.of(0x17, 0, 1, 3, 1, 2048, new byte[0]).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
        GuestKey.bind(4096).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
        GuestKey.bind(-2048).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
        GuestKey.bind(256).create(tpm).is(ReturnCode.BAD_KEY_PROPERTY);
    }

    @Test
    void childrenOfMigratableKeysAreMigratable() {
        int parent = GuestKey.storage().withFlags(MIGRATABLE).load(tpm);
        GuestKey.signing().create(tpm, parent, USAGE_AUTH).is(ReturnCode.INVALID_KEYUSAGE);
        byte[] child = GuestKey.signing()
                .withFlags(MIGRATABLE)
                .create(tpm, parent, USAGE_AUTH)
                .is(ReturnCode.SUCCESS)
                .parameters();
        GuestKey.load(tpm, parent, USAGE_AUTH, child).is(ReturnCode.SUCCESS);
        GuestKey.load(tpm, Handles.SRK, SRK_AUTH, child).is(ReturnCode.DECRYPT_ERROR);
    }

    @Test
    void onlyStorageKeysAreParents() {
        int key = GuestKey.signing().load(tpm);
        GuestKey.signing().create(tpm, key, USAGE_AUTH).is(ReturnCode.INVALID_KEYUSAGE);
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        GuestKey.load(tpm, key, USAGE_AUTH, wrapped).is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void aKeyWhosePublicPartWasChangedIsRefused() {
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        wrapped[10] = 0; // authDataUsage
        GuestKey.load(tpm, Handles.SRK, SRK_AUTH, wrapped).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void useWithoutAuthorisationIsAsTheKeySays() {
        int always = GuestKey.signing().load(tpm);
        int never = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        int readOnly = GuestKey.storage().withAuthDataUsage(3).load(tpm);
        tpm.send("GetPubKey", u32(always)).is(ReturnCode.AUTHFAIL);
        tpm.send("GetPubKey", u32(never)).is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(WRONG), false, "GetPubKey", u32(never)).is(ReturnCode.AUTHFAIL);
        tpm.send("GetPubKey", u32(readOnly)).is(ReturnCode.SUCCESS);
        byte[] child = GuestKey.signing().create(tpm, readOnly, USAGE_AUTH).parameters();
        tpm.send("LoadKey2", u32(readOnly), child).is(ReturnCode.AUTHFAIL);
        GuestKey.load(tpm, readOnly, USAGE_AUTH, child).is(ReturnCode.SUCCESS);
    }

    @Test
    void aSessionForOneKeyDoesNotServeAnother() {
        int one = GuestKey.signing().load(tpm);
        int other = GuestKey.signing().load(tpm);
        GuestSession session = tpm.osap(EntityType.KEY_HANDLE, one, USAGE_AUTH);
        tpm.authorized(session, true, "GetPubKey", u32(one)).is(ReturnCode.SUCCESS);
        tpm.authorized(session, true, "GetPubKey", u32(other)).is(ReturnCode.AUTHFAIL);
        tpm.authorized(session, true, "GetPubKey", u32(one)).is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void aKeyThatIsBoundToPcrsWorksOnlyUnderThem() {
        byte[] selection = HexFormat.of().parseHex("0003000001");
        byte[] release = Sha1.of(selection, u32(20), new byte[20]);
        GuestKey bound = GuestKey.of(KeyUsage.SIGNING, 0, 0, 1, 2, 512, concat(selection, release, new byte[20]));
        byte[] wrapped = bound.create(tpm).is(ReturnCode.SUCCESS).parameters();
        int key = GuestKey.load(tpm, wrapped);
        int readable = bound.withFlags(8).load(tpm);
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(16), WRONG).is(ReturnCode.SUCCESS);
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.WRONGPCRVAL);
        tpm.send("GetPubKey", u32(readable)).is(ReturnCode.SUCCESS);
        assertThat(GuestKey.load(tpm, wrapped)).isNotEqualTo(key);
    }

    @Test
    void aKeyThatIsBoundToALocalityWorksOnlyThere() {
        byte[] info = concat(u16(6), u8(1), u8(0x08), new byte[] {0, 0, 0, 0}, new byte[40]);
        int key = GuestKey.of12(KeyUsage.SIGNING, 0, 0, 1, 2, 512, info).load(tpm);
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.BAD_LOCALITY);
        tpm.send(3, TestTpm.COMMAND, "GetPubKey", u32(key)).is(ReturnCode.SUCCESS);
    }

    @Test
    void handlesThatNameNoKeyAreToldApart() {
        tpm.send("GetPubKey", u32(0x01234567)).is(ReturnCode.INVALID_KEYHANDLE);
        tpm.send("GetPubKey", u32(Handles.OWNER)).is(ReturnCode.INVALID_RESOURCE);
        tpm.authorized(tpm.oiap(SRK_AUTH), false, "GetPubKey", u32(Handles.SRK)).is(ReturnCode.INVALID_KEYHANDLE);
    }

    @Test
    void thereAreTwentySlots() {
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        int last = 0;
        for (int i = 0; i < 20; i++) {
            assertThat(freeSlots()).isEqualTo(20 - i);
            last = GuestKey.load(tpm, wrapped);
        }
        GuestKey.load(tpm, Handles.SRK, SRK_AUTH, wrapped).is(ReturnCode.NOSPACE);
        tpm.send("EvictKey", u32(last)).is(ReturnCode.SUCCESS);
        GuestKey.load(tpm, wrapped);
        assertThat(tpm.send("GetCapability", u32(7), sized(new byte[0])).parameters())
                .hasSize(4 + 2 + 20 * 4);
    }

    @Test
    void evictingAKeyEndsItsSessions() {
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        int key = GuestKey.load(tpm, wrapped);
        GuestSession session = tpm.osap(EntityType.KEY_HANDLE, key, USAGE_AUTH);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.BAD_PARAMETER);
        tpm.send("EvictKey", u32(key)).is(ReturnCode.INVALID_KEYHANDLE);
        int again = GuestKey.load(tpm, wrapped);
        tpm.authorized(session, true, "GetPubKey", u32(again)).is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void keysSurviveSaveStateButNotAClearStart() {
        int key = GuestKey.signing().load(tpm);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetPubKey", u32(key)).is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.INVALID_KEYHANDLE);
    }

    @Test
    void theOwnerKeepsAKeyLoaded() {
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        byte[] pubkey = tpm.send("GetPubKey", u32(key)).parameters();
        control(key, pubkey, 2, true).is(ReturnCode.BAD_MODE);
        control(key, pubkey, OWNER_EVICT, true).is(ReturnCode.SUCCESS);
        assertThat(tpm.send("GetCapability", u32(0xC), sized(u32(key))).hex()).isEqualTo("0000000101");
        tpm.send("EvictKey", u32(key)).is(ReturnCode.KEY_OWNER_CONTROL);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.KEY_OWNER_CONTROL);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        assertThat(tpm.send("GetPubKey", u32(key)).parameters()).isEqualTo(pubkey);
        assertThat(freeSlots()).isEqualTo(19);
        control(key, pubkey, OWNER_EVICT, false).is(ReturnCode.SUCCESS);
        tpm.send("EvictKey", u32(key)).is(ReturnCode.SUCCESS);
    }

    @Test
    void aKeyThatMayBeLostStaysEvictable() {
        int key = GuestKey.signing().withFlags(4).withAuthDataUsage(0).load(tpm);
        byte[] pubkey = tpm.send("GetPubKey", u32(key)).parameters();
        control(key, pubkey, OWNER_EVICT, true).is(ReturnCode.BAD_PARAMETER);
        pubkey[pubkey.length - 1] ^= 2;
        control(key, pubkey, OWNER_EVICT, true).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void clearingTheOwnerEmptiesAllSlots() {
        GuestKey.signing().load(tpm);
        int kept = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        control(kept, tpm.send("GetPubKey", u32(kept)).parameters(), OWNER_EVICT, true)
                .is(ReturnCode.SUCCESS);
        assertThat(freeSlots()).isEqualTo(18);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        assertThat(freeSlots()).isEqualTo(20);
    }

    private TestTpm.Response control(int key, byte[] pubkey, int bit, boolean value) {
        return tpm.authorized(
                tpm.oiap(OWNER_AUTH), false, "KeyControlOwner", u32(key), pubkey, u32(bit), u8(value ? 1 : 0));
    }

    private int freeSlots() {
        return TestTpm.number(
                tpm.send("GetCapability", u32(5), sized(u32(FREE_SLOTS))).parameters(), 4);
    }
}
