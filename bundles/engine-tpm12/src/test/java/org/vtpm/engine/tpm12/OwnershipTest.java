package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestOwner.ANTI_REPLAY;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_PARAMS;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.ReturnCode;

class OwnershipTest {
    private static final int OWNER = 2;
    private static final int SRK = 4;
    private static final byte[] NEW_AUTH = Sha1.of(u8(31));

    @Test
    void ownershipSurvivesTheLossOfPower() {
        TestTpm tpm = TestTpm.started();
        GuestOwner.withNewEk(tpm).takeOwnership();
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadPubek").is(ReturnCode.SUCCESS);
        tpm.osap(SRK, 0, SRK_AUTH);
    }

    @Test
    void whatTakeOwnershipAsksForComesInThisOrder() {
        TestTpm tpm = TestTpm.started();
        byte[] garbage = new byte[256];
        byte[] takeOwnership =
                concat(u16(5), TestTpm.sized(garbage), TestTpm.sized(garbage), SRK_PARAMS, new byte[4 + 20 + 1 + 20]);
        tpm.send(0, TestTpm.AUTH1, "TakeOwnership", takeOwnership).is(ReturnCode.NO_ENDORSEMENT);
        GuestOwner guest = GuestOwner.withNewEk(tpm);
        tpm.presence();
        tpm.send("SetOwnerInstall", u8(0)).is(ReturnCode.SUCCESS);
        tpm.send(0, TestTpm.AUTH1, "TakeOwnership", takeOwnership).is(ReturnCode.INSTALL_DISABLED);
        tpm.send("SetOwnerInstall", u8(1)).is(ReturnCode.SUCCESS);
        tpm.send(0, TestTpm.AUTH1, "TakeOwnership", takeOwnership).is(ReturnCode.INVALID_AUTHHANDLE);
        byte[] owner = guest.encrypt(OWNER_AUTH);
        byte[] srk = guest.encrypt(SRK_AUTH);
        guest.takeOwnership(tpm.oiap(OWNER_AUTH), 4, owner, srk, SRK_PARAMS).is(ReturnCode.BAD_PARAMETER);
        guest.takeOwnership(tpm.oiap(OWNER_AUTH), 5, garbage, srk, SRK_PARAMS).is(ReturnCode.DECRYPT_ERROR);
        guest.takeOwnership(tpm.oiap(OWNER_AUTH), 5, new byte[257], srk, SRK_PARAMS)
                .is(ReturnCode.BAD_DATASIZE);
        guest.takeOwnership(tpm.oiap(OWNER_AUTH), 5, guest.encrypt(new byte[21]), srk, SRK_PARAMS)
                .is(ReturnCode.BAD_KEY_PROPERTY);
        guest.takeOwnership(tpm.oiap(NEW_AUTH), 5, owner, srk, SRK_PARAMS).is(ReturnCode.AUTHFAIL);
        guest.takeOwnership(tpm.oiap(OWNER_AUTH), 5, owner, garbage, SRK_PARAMS).is(ReturnCode.DECRYPT_ERROR);
        guest.takeOwnership();
        guest.takeOwnership(OWNER_AUTH, SRK_AUTH, SRK_PARAMS).is(ReturnCode.OWNER_SET);
    }

    @Test
    void storageRootKeysOfOtherKindsAreRefused() {
        TestTpm tpm = TestTpm.started();
        GuestOwner guest = GuestOwner.withNewEk(tpm);
        // Usage, and the migratable flag.
        assertRefused(guest, 5, 1, ReturnCode.INVALID_KEYUSAGE);
        assertRefused(guest, 9, 2, ReturnCode.INVALID_KEYUSAGE);
        // Algorithm, encryption and signature scheme, length, number of primes.
        assertRefused(guest, 14, 4, ReturnCode.BAD_KEY_PROPERTY);
        assertRefused(guest, 16, 1, ReturnCode.BAD_KEY_PROPERTY);
        assertRefused(guest, 18, 3, ReturnCode.BAD_KEY_PROPERTY);
        assertRefused(guest, 25, 12, ReturnCode.BAD_KEY_PROPERTY);
        assertRefused(guest, 30, 1, ReturnCode.BAD_KEY_PROPERTY);
        tpm.send("ReadPubek", ANTI_REPLAY).is(ReturnCode.SUCCESS);
    }

    @Test
    void whatIsNotDefinedIsRefusedBeforeAnythingElse() {
        TestTpm tpm = TestTpm.started();
        // An undefined flag, an unknown algorithm: the TPM has no endorsement key, but does not get that far.
        for (int position : new int[] {9, 14}) {
            byte[] params = SRK_PARAMS.clone();
            params[position] = 0x20;
            tpm.send(
                            0,
                            TestTpm.AUTH1,
                            "TakeOwnership",
                            u16(5),
                            TestTpm.sized(new byte[256]),
                            TestTpm.sized(new byte[256]),
                            params,
                            new byte[4 + 20 + 1 + 20])
                    .is(ReturnCode.BAD_KEY_PROPERTY);
        }
    }

    private static void assertRefused(GuestOwner guest, int position, int change, ReturnCode code) {
        byte[] params = SRK_PARAMS.clone();
        params[position] ^= (byte) change;
        guest.takeOwnership(OWNER_AUTH, SRK_AUTH, params).is(code);
    }

    @Test
    void aStorageRootKeyRemembersThePcrsItWasMadeUnder() {
        TestTpm tpm = TestTpm.started();
        GuestOwner guest = GuestOwner.withNewEk(tpm);
        byte[] pcr = tpm.send("Extend", u32(3), ANTI_REPLAY).parameters();
        byte[] selection = HexFormat.of().parseHex("0003080000");
        byte[] release = Sha1.of(u8(99));
        byte[] info =
                concat(HexFormat.of().parseHex("0006" + "04" + "1f"), selection, selection, new byte[20], release);
        byte[] params = concat(
                HexFormat.of().parseHex("00280000001100000000" + "01"),
                GuestOwner.PARMS,
                TestTpm.sized(info),
                u32(0),
                u32(0));
        byte[] srk = guest.takeOwnership(OWNER_AUTH, SRK_AUTH, params)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] expected = concat(
                HexFormat.of().parseHex("0006" + "01" + "1f"),
                selection,
                selection,
                Sha1.of(selection, u32(20), pcr),
                release);
        int start = 11 + GuestOwner.PARMS.length + 4;
        assertThat(Arrays.copyOfRange(srk, start, start + expected.length)).isEqualTo(expected);
    }

    @Test
    void clearingLeavesTheEndorsementKeyAndWhatIsNotTheOwners() {
        TestTpm tpm = TestTpm.started();
        GuestOwner guest = GuestOwner.withNewEk(tpm);
        guest.takeOwnership();
        byte[] pcr = tpm.send("Extend", u32(3), ANTI_REPLAY).parameters();
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "DirWriteAuth", u32(0), NEW_AUTH)
                .is(ReturnCode.SUCCESS);
        define(tpm, 0x11, 0x0002_0002); // the owner's
        define(tpm, 0x1000_0012, 0x0002_0002); // the owner's, with D bit
        define(tpm, 0x13, 0x0004_0004); // authorised by its own secret
        TestTpm.GuestSession other = tpm.oiap(OWNER_AUTH);
        TestTpm.Response cleared = tpm.authorized(tpm.oiap(OWNER_AUTH), true, "OwnerClear");
        cleared.is(ReturnCode.SUCCESS);
        tpm.send("Terminate_Handle", u32(other.handle)).is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.send("PcrRead", u32(3)).is(ReturnCode.DISABLED);
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        assertThat(tpm.send("PcrRead", u32(3)).is(ReturnCode.SUCCESS).parameters())
                .isEqualTo(pcr);
        assertThat(tpm.send("DirRead", u32(0)).parameters()).isEqualTo(NEW_AUTH);
        assertThat(tpm.send("GetCapability", u32(0xD), TestTpm.sized(new byte[0]))
                        .hex())
                .isEqualTo("00000008" + "10000012" + "00000013");
        assertThat(GuestOwner.withEk(tpm).pubek()).isEqualTo(guest.pubek());
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(3)).is(ReturnCode.DEACTIVATED);
    }

    private static void define(TestTpm tpm, int nvIndex, int permission) {
        byte[] anything = HexFormat.of().parseHex("0003000000" + "1f" + "00".repeat(20));
        tpm.send(
                        "NV_DefineSpace",
                        u16(0x18),
                        u32(nvIndex),
                        anything,
                        anything,
                        u16(0x17),
                        u32(permission),
                        new byte[3],
                        u32(8),
                        new byte[20])
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void clearingCanBeRuledOut() {
        TestTpm tpm = TestTpm.started();
        GuestOwner.withNewEk(tpm).takeOwnership();
        tpm.send("ForceClear").is(ReturnCode.BAD_PRESENCE);
        tpm.presence();
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "DisableOwnerClear").is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.CLEAR_DISABLED);
        tpm.send("DisableForceClear").is(ReturnCode.SUCCESS);
        tpm.send("ForceClear").is(ReturnCode.CLEAR_DISABLED);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.presence();
        tpm.send("ForceClear").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalSetDeactivated", u8(0)).is(ReturnCode.SUCCESS);
        GuestOwner.withEk(tpm).takeOwnership();
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
    }

    @Test
    void theOwnersSecretChangesAndItsSessionsEnd() {
        TestTpm tpm = TestTpm.started();
        GuestOwner.withNewEk(tpm).takeOwnership();
        TestTpm.GuestSession other = tpm.osap(OWNER, 0, OWNER_AUTH);
        changeAuthOwner(tpm, OWNER_AUTH, OWNER).is(ReturnCode.SUCCESS);
        tpm.send("Terminate_Handle", u32(other.handle)).is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadPubek").is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(NEW_AUTH), false, "OwnerReadPubek").is(ReturnCode.SUCCESS);
    }

    @Test
    void theStorageRootKeysSecretChangesWithTheOwnersLeave() {
        TestTpm tpm = TestTpm.started();
        GuestOwner.withNewEk(tpm).takeOwnership();
        TestTpm.GuestSession bound = tpm.osap(SRK, 0, SRK_AUTH);
        changeAuthOwner(tpm, OWNER_AUTH, 3).is(ReturnCode.WRONG_ENTITYTYPE);
        changeAuthOwner(tpm, NEW_AUTH, SRK).is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "ChangeAuthOwner", u16(4), new byte[20], u16(SRK))
                .is(ReturnCode.BAD_MODE);
        changeAuthOwner(tpm, OWNER_AUTH, SRK).is(ReturnCode.SUCCESS);
        tpm.send("Terminate_Handle", u32(bound.handle)).is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadPubek").is(ReturnCode.SUCCESS);
    }

    private static TestTpm.Response changeAuthOwner(TestTpm tpm, byte[] ownerAuth, int entityType) {
        TestTpm.GuestSession session = tpm.osap(OWNER, 0, ownerAuth);
        byte[] encrypted = Sha1.of(session.key, session.nonceEven);
        for (int i = 0; i < encrypted.length; i++) {
            encrypted[i] ^= NEW_AUTH[i];
        }
        return tpm.authorized(session, true, "ChangeAuthOwner", u16(4), encrypted, u16(entityType));
    }

    @Test
    void takingOwnershipThatCannotBeStoredIsUndone() {
        TestTpm tpm = TestTpm.started();
        GuestOwner guest = GuestOwner.withNewEk(tpm);
        tpm.storeFails = true;
        guest.takeOwnership(OWNER_AUTH, SRK_AUTH, SRK_PARAMS).is(ReturnCode.IOERROR);
        tpm.storeFails = false;
        guest.takeOwnership();
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadPubek").is(ReturnCode.SUCCESS);
    }
}
