package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.engine.tpm12.TestTpm.Response;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;

/** Resources that are kept outside the TPM for a while. */
class ContextTest {
    private static final int KEY = 1;
    private static final int AUTH = 2;
    private static final int TRANSPORT = 4;
    private static final int CONTEXT = 5;
    private static final byte[] LABEL = "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    private static final int COUNT_OFFSET = 4 + 26;
    private static final int FREE_CONTEXTS = 0x112;
    private static final int IS_VOLATILE = 4;

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void aKeyStaysAndItsBlobIsLoadedAsOftenAsWanted() {
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        byte[] blob = save(key, KEY);
        assertThat(Arrays.copyOfRange(blob, 4, 14)).isEqualTo(concat(TestTpm.u16(1), u32(KEY), u32(key)));
        assertThat(Arrays.copyOfRange(blob, 14, 34)).isEqualTo(concat(LABEL, u32(0)));
        load(0, true, blob).is(ReturnCode.BAD_HANDLE);
        int second = handle(load(0, false, blob));
        assertThat(second).isNotEqualTo(key);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
        assertThat(handle(load(0, true, blob))).isEqualTo(key);
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS);
        assertThat(tpm.send("GetPubKey", u32(second)).parameters())
                .isEqualTo(tpm.send("GetPubKey", u32(key)).parameters());
    }

    @Test
    void aKeyBlobOutlivesAClearStartUnlessTheKeyIsVolatile() {
        byte[] lasting = save(GuestKey.signing().load(tpm), KEY);
        byte[] passing = save(GuestKey.signing().withFlags(IS_VOLATILE).load(tpm), KEY);
        load(0, false, passing).is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        load(0, false, lasting).is(ReturnCode.SUCCESS);
        load(0, false, passing).is(ReturnCode.BADCONTEXT);
        save(GuestKey.signing().load(tpm), KEY);
        load(0, false, passing).is(ReturnCode.BADCONTEXT);
    }

    @Test
    void aSessionLeavesAndComesBackOnce() {
        GuestSession session = tpm.oiap(OWNER_AUTH);
        byte[] blob = save(session.handle, AUTH);
        assertThat(number(blob, COUNT_OFFSET)).isEqualTo(1);
        assertThat(free()).isEqualTo(127);
        tpm.send("FlushSpecific", u32(session.handle), u32(AUTH)).is(ReturnCode.INVALID_AUTHHANDLE);
        assertThat(handle(load(0, true, blob))).isEqualTo(session.handle);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        load(0, false, blob).is(ReturnCode.BADCONTEXT);
        assertThat(free()).isEqualTo(128);
    }

    @Test
    void aSavedSessionIsGoneAfterAClearStartButNotAfterSaveState() {
        GuestSession session = tpm.oiap(OWNER_AUTH);
        byte[] blob = save(session.handle, AUTH);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        load(0, true, blob).is(ReturnCode.SUCCESS);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        byte[] later = save(session.handle, AUTH);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        load(0, false, later).is(ReturnCode.BADCONTEXT);
        assertThat(free()).isEqualTo(128);
    }

    @Test
    void aTransportSessionLeavesAndComesBackOnce() {
        GuestTransport transport = GuestTransport.plain(tpm, GuestTransport.LOG);
        transport.send("GetTicks").is(ReturnCode.SUCCESS);
        byte[] blob = save(transport.handle, TRANSPORT);
        assertThat(free()).isEqualTo(127);
        tpm.send("FlushSpecific", u32(transport.handle), u32(TRANSPORT)).is(ReturnCode.INVALID_AUTHHANDLE);
        assertThat(handle(load(0, true, blob))).isEqualTo(transport.handle);
        transport.send("GetTicks").is(ReturnCode.SUCCESS);
        load(0, false, blob).is(ReturnCode.BADCONTEXT);
        tpm.send("SaveContext", u32(77), u32(TRANSPORT), LABEL).is(ReturnCode.INVALID_RESOURCE);
    }

    @Test
    void aTransportSessionCarriesItsOwnSaving() {
        GuestTransport transport = GuestTransport.plain(tpm, GuestTransport.EXCLUSIVE);
        byte[] saving = concat(u32(transport.handle), u32(TRANSPORT), LABEL);
        byte[] blob =
                transport.send("SaveContext", saving).is(ReturnCode.SUCCESS).parameters();
        assertThat(transport.open).isFalse();
        assertThat(handle(load(0, true, blob))).isEqualTo(transport.handle);
        tpm.send("GetTicks").is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(transport.handle), u32(TRANSPORT)).is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void aSavedTransportSessionWaitsForASlot() {
        byte[] blob = save(GuestTransport.plain(tpm, 0).handle, TRANSPORT);
        int last = 0;
        for (int i = 0; i < 16; i++) {
            last = GuestTransport.plain(tpm, 0).handle;
        }
        load(0, false, blob).is(ReturnCode.RESOURCES);
        tpm.send("FlushSpecific", u32(last), u32(TRANSPORT)).is(ReturnCode.SUCCESS);
        load(0, false, blob).is(ReturnCode.SUCCESS);
    }

    @Test
    void aSavedSessionIsVoidedByItsNumber() {
        byte[] blob = save(tpm.oiap(OWNER_AUTH).handle, AUTH);
        assertThat(tpm.send("GetCapability", u32(0x14), sized(u32(CONTEXT))).hex())
                .isEqualTo("00000006" + "0001" + "00000001");
        tpm.send("FlushSpecific", u32(0), u32(CONTEXT)).is(ReturnCode.BAD_PARAMETER);
        tpm.send("FlushSpecific", u32(1), u32(CONTEXT)).is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(1), u32(CONTEXT)).is(ReturnCode.BAD_PARAMETER);
        load(0, false, blob).is(ReturnCode.BADCONTEXT);
    }

    @Test
    void thereIsRoomFor128SavedSessions() {
        byte[] blob = {};
        for (int i = 0; i < 128; i++) {
            blob = save(tpm.oiap(OWNER_AUTH).handle, AUTH);
        }
        int open = tpm.oiap(OWNER_AUTH).handle;
        tpm.send("SaveContext", u32(open), u32(AUTH), LABEL).is(ReturnCode.NOCONTEXTSPACE);
        for (int i = 0; i < 15; i++) {
            tpm.oiap(OWNER_AUTH);
        }
        load(0, false, blob).is(ReturnCode.RESOURCES);
        tpm.send("FlushSpecific", u32(open), u32(AUTH)).is(ReturnCode.SUCCESS);
        load(0, false, blob).is(ReturnCode.SUCCESS);
    }

    @Test
    void theSessionOfAKeyNeedsItsKey() {
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        int key = GuestKey.load(tpm, wrapped);
        int other = GuestKey.signing().load(tpm);
        GuestSession session = tpm.osap(EntityType.KEY_HANDLE, key, USAGE_AUTH);
        byte[] blob = save(session.handle, AUTH);
        load(77, true, blob).is(ReturnCode.BAD_HANDLE);
        load(other, true, blob).is(ReturnCode.RESOURCEMISSING);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
        load(key, true, blob).is(ReturnCode.BAD_HANDLE);
        tpm.send("LoadAuthContext", blob).is(ReturnCode.RESOURCEMISSING);
        int again = GuestKey.load(tpm, wrapped);
        load(again, true, blob).is(ReturnCode.SUCCESS);
        tpm.authorized(session, true, "GetPubKey", u32(again)).is(ReturnCode.SUCCESS);
    }

    @Test
    void aChangedBlobIsRefused() {
        byte[] blob = save(GuestKey.signing().load(tpm), KEY);
        for (int position = 10; position < blob.length; position += 7) {
            byte[] changed = blob.clone();
            changed[position] ^= 1;
            Response response = load(0, false, changed);
            if (position < 54 || position >= 54 + 4 + 16 + 4) { // the lengths between are told apart by size
                response.is(ReturnCode.BADCONTEXT);
            } else {
                assertThat(response.code()).isNotZero();
            }
        }
        byte[] unknown = blob.clone();
        unknown[9] = CONTEXT;
        load(0, false, unknown).is(ReturnCode.INVALID_RESOURCE);
        load(0, false, u32(0)).is(ReturnCode.BAD_PARAM_SIZE);
    }

    @Test
    void onlyWhatCanBeSavedIs() {
        tpm.send("SaveContext", u32(Handles.SRK), u32(KEY), LABEL).is(ReturnCode.INVALID_RESOURCE);
        tpm.send("SaveContext", u32(77), u32(AUTH), LABEL).is(ReturnCode.INVALID_RESOURCE);
        tpm.send("SaveContext", u32(77), u32(3), LABEL).is(ReturnCode.INVALID_RESOURCE);
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        byte[] pubkey = tpm.send("GetPubKey", u32(key)).parameters();
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "KeyControlOwner", u32(key), pubkey, u32(1), u8(1))
                .is(ReturnCode.SUCCESS);
        tpm.send("SaveContext", u32(key), u32(KEY), LABEL).is(ReturnCode.OWNER_CONTROL);
        tpm.send("SaveKeyContext", u32(key)).is(ReturnCode.OWNER_CONTROL);
    }

    @Test
    void version11TakesTheKeyAway() {
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        byte[] blob =
                tpm.send("SaveKeyContext", u32(key)).is(ReturnCode.SUCCESS).parameters();
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.INVALID_KEYHANDLE);
        tpm.send("LoadAuthContext", blob).is(ReturnCode.BAD_PARAMETER);
        assertThat(handle(tpm.send("LoadKeyContext", blob))).isEqualTo(key);
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS);
    }

    @Test
    void version11SavesSessions() {
        GuestSession session = tpm.osap(EntityType.OWNER, 0, OWNER_AUTH);
        byte[] blob = tpm.send("SaveAuthContext", u32(session.handle))
                .is(ReturnCode.SUCCESS)
                .parameters();
        tpm.send("LoadKeyContext", blob).is(ReturnCode.BAD_PARAMETER);
        assertThat(handle(tpm.send("LoadAuthContext", blob))).isEqualTo(session.handle);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.send("LoadAuthContext", blob).is(ReturnCode.BADCONTEXT);
    }

    @Test
    void nothingIsSavedWithoutAnOwner() {
        TestTpm unowned = TestTpm.started();
        int session = unowned.oiap(OWNER_AUTH).handle;
        unowned.send("SaveAuthContext", u32(session)).is(ReturnCode.NOSRK);
    }

    @Test
    void clearingTheOwnerVoidsAllBlobs() {
        byte[] key = save(GuestKey.signing().load(tpm), KEY);
        save(tpm.oiap(OWNER_AUTH).handle, AUTH);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        assertThat(free()).isEqualTo(128);
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalSetDeactivated", u8(0)).is(ReturnCode.SUCCESS);
        GuestOwner.withEk(tpm).takeOwnership();
        load(0, false, key).is(ReturnCode.BADCONTEXT);
    }

    private byte[] save(int handle, int resourceType) {
        return tpm.send("SaveContext", u32(handle), u32(resourceType), LABEL)
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private Response load(int entityHandle, boolean keepHandle, byte[] blob) {
        return tpm.send("LoadContext", u32(entityHandle), u8(keepHandle ? 1 : 0), blob);
    }

    private static int handle(Response response) {
        return number(response.is(ReturnCode.SUCCESS).parameters(), 0);
    }

    private int free() {
        return number(
                tpm.send("GetCapability", u32(5), sized(u32(FREE_CONTEXTS))).parameters(), 4);
    }
}
