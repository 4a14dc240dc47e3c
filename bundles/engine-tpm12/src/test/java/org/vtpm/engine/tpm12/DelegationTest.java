package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.tpm12.structure.CmkDelegate;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/** Families, delegations and their use. */
class DelegationTest {
    private static final byte[] SECRET = Sha1.of(u8(31));
    private static final int OWNER_BITS = 1;
    private static final int KEY_BITS = 2;
    private static final int CREATE_OWNER_DELEGATION = 1 << 1;
    private static final int MANAGE = 1 << 2;
    private static final int UPDATE_VERIFICATION = 1 << 5;
    private static final int RESET_LOCK_VALUE = 1 << 17;
    private static final int READ_INTERNAL_PUB = 1 << 18;
    private static final int SIGN = 1 << 14;
    private static final int ENABLE = 2;
    private static final int ADMIN = 3;
    private static final int INVALIDATE = 4;

    /** TPM_PCR_INFO_SHORT: no PCR, all localities. */
    private static final byte[] ANYWHERE = concat(u16(3), new byte[3], u8(0x1F), new byte[20]);

    private TestTpm tpm;

    @BeforeEach
    void owned() {
        tpm = TestTpm.started(PermanentState.factory(null).withOwner(TestOwner.with(OWNER_AUTH, SRK_AUTH)));
    }

    @Test
    void anOwnersDelegationAllowsWhatItNamesOnly() {
        byte[] blob = ownerBlob(enabledFamily(), READ_INTERNAL_PUB);

        tpm.authorized(ownerSession(blob), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(ownerSession(blob), false, "ResetLockValue").is(ReturnCode.AUTHFAIL);
        tpm.authorized(ownerSession(blob), false, "CMK_SetRestrictions", u32(0)).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void aRowIsAsGoodAsItsBlob() {
        int family = enabledFamily();
        load(2, ownerBlob(family, READ_INTERNAL_PUB));

        tpm.authorized(rowSession(2), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(rowSession(2), false, "OwnerClear").is(ReturnCode.AUTHFAIL);
        dsap(EntityType.DELEGATE_ROW, u32(1)).is(ReturnCode.BADINDEX);
        dsap(EntityType.DELEGATE_ROW, u16(1)).is(ReturnCode.BAD_PARAM_SIZE);
        dsap(EntityType.OWNER, u32(2)).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void aDelegationNeedsTheRightSecret() {
        byte[] blob = ownerBlob(enabledFamily(), READ_INTERNAL_PUB);
        TestTpm.GuestSession session = tpm.dsap(EntityType.DELEGATE_OWNER_BLOB, Handles.OWNER, blob, Sha1.of(u8(99)));

        tpm.authorized(session, false, "OwnerReadInternalPub", u32(Handles.SRK)).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void aChangedBlobIsRefused() {
        byte[] blob = ownerBlob(enabledFamily(), READ_INTERNAL_PUB);
        for (int at : new int[] {4, blob.length - 1, blob.length - 40}) {
            byte[] changed = blob.clone();
            changed[at] ^= 1;
            dsap(EntityType.DELEGATE_OWNER_BLOB, changed).is(ReturnCode.AUTHFAIL);
            tpm.send("Delegate_VerifyDelegation", sized(changed)).is(ReturnCode.AUTHFAIL);
        }
        dsap(EntityType.DELEGATE_KEY_BLOB, blob).is(ReturnCode.WRONG_ENTITYTYPE);
        dsap(EntityType.DELEGATE_OWNER_BLOB, Arrays.copyOf(blob, 30)).is(ReturnCode.WRONG_ENTITYTYPE);
        tpm.send("Delegate_VerifyDelegation", sized(blob)).is(ReturnCode.SUCCESS);
    }

    @Test
    void aKeysDelegationAllowsWhatItNamesOnly() {
        TestTpm real = TestTpm.started();
        GuestOwner.withNewEk(real).takeOwnership();
        tpm = real;
        int family = enabledFamily();
        int key = GuestKey.signing().load(tpm);
        int other = GuestKey.signing().load(tpm);
        byte[] blob = keyBlob(key, family, SIGN);

        tpm.authorized(keySession(key, blob), false, "Sign", u32(key), sized(new byte[20]))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(keySession(key, blob), false, "GetPubKey", u32(key)).is(ReturnCode.AUTHFAIL);
        tpm.authorized(keySession(key, blob), false, "Sign", u32(other), sized(new byte[20]))
                .is(ReturnCode.AUTHFAIL);
        tpm.authorized(keySession(key, blob), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.AUTHFAIL);
        tpm.send("DSAP", u16(EntityType.DELEGATE_KEY_BLOB), u32(other), new byte[20], sized(blob))
                .is(ReturnCode.KEYNOTFOUND);
    }

    @Test
    void aDelegationOfTheStorageRootKeyIsBoundToIt() {
        byte[] blob = keyBlob(Handles.SRK, enabledFamily(), 1 << 5);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);

        tpm.authorized(keySession(Handles.SRK, blob), false, "LoadKey2", u32(Handles.SRK), new byte[60])
                .is(ReturnCode.BAD_VERSION);
        tpm.authorized(keySession(Handles.SRK, blob), false, "Sign", u32(Handles.SRK), sized(new byte[20]))
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void pcrsAndLocalitiesOfADelegationCount() {
        int family = enabledFamily();
        byte[] pcr16 = concat(u16(3), new byte[] {0, 0, 1}, u8(0x1F), new byte[20]);
        byte[] locality1 = concat(u16(3), new byte[3], u8(0x02), new byte[20]);

        byte[] bound = createOwner(0, pub(pcr16, OWNER_BITS, READ_INTERNAL_PUB, family));
        byte[] elsewhere = createOwner(0, pub(locality1, OWNER_BITS, READ_INTERNAL_PUB, family));

        tpm.authorized(ownerSession(bound), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.WRONGPCRVAL);
        tpm.authorized(ownerSession(elsewhere), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.BAD_LOCALITY);
    }

    @Test
    void theOwnerPointerMakesADelegationStandForTheOwner() {
        int family = enabledFamily();
        load(1, ownerBlob(family, READ_INTERNAL_PUB));
        tpm.send("SetOwnerPointer", u16(EntityType.DELEGATE_ROW), u32(3)).is(ReturnCode.BADINDEX);
        tpm.send("SetOwnerPointer", u16(EntityType.SRK), u32(1)).is(ReturnCode.BAD_PARAMETER);
        tpm.send("SetOwnerPointer", u16(EntityType.DELEGATE_ROW), u32(1)).is(ReturnCode.SUCCESS);

        tpm.authorized(tpm.oiap(SECRET), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(SECRET), false, "OwnerClear").is(ReturnCode.AUTHFAIL);
        tpm.authorized(osap(SECRET), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(osap(SECRET), false, "OwnerClear").is(ReturnCode.AUTHFAIL);

        tpm.send("SetOwnerPointer", u16(EntityType.OWNER), u32(0)).is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "ResetLockValue").is(ReturnCode.SUCCESS);
    }

    @Test
    void disabledAndOutdatedDelegationsDoNotCount() {
        int family = enabledFamily();
        byte[] blob = ownerBlob(family, READ_INTERNAL_PUB);
        load(0, blob);
        manage(family, ENABLE, u8(0)).is(ReturnCode.SUCCESS);
        dsap(EntityType.DELEGATE_OWNER_BLOB, blob).is(ReturnCode.DISABLED_CMD);
        dsap(EntityType.DELEGATE_ROW, u32(0)).is(ReturnCode.DISABLED_CMD);
        tpm.send("SetOwnerPointer", u16(EntityType.DELEGATE_ROW), u32(0)).is(ReturnCode.DISABLED_CMD);
        manage(family, ENABLE, u8(1)).is(ReturnCode.SUCCESS);

        createOwner(1, pub(ANYWHERE, OWNER_BITS, 0, family));
        dsap(EntityType.DELEGATE_OWNER_BLOB, blob).is(ReturnCode.FAMILYCOUNT);
        dsap(EntityType.DELEGATE_ROW, u32(0)).is(ReturnCode.FAMILYCOUNT);
        tpm.send("Delegate_VerifyDelegation", sized(blob)).is(ReturnCode.FAMILYCOUNT);

        byte[] updated = update(blob).is(ReturnCode.SUCCESS).parameters();
        tpm.authorized(
                        ownerSession(Arrays.copyOfRange(updated, 4, updated.length)),
                        false,
                        "OwnerReadInternalPub",
                        u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);
        update(u32(0)).is(ReturnCode.SUCCESS);
        tpm.authorized(rowSession(0), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);
        update(u32(3)).is(ReturnCode.BADINDEX);
        update(u32(-1)).is(ReturnCode.BADINDEX);
        update(new byte[7]).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void sessionsEndWhenTheTablesChange() {
        int family = enabledFamily();
        byte[] blob = ownerBlob(family, READ_INTERNAL_PUB);
        TestTpm.GuestSession delegated = ownerSession(blob);
        TestTpm.GuestSession bound = osap(OWNER_AUTH);

        load(0, blob);

        tpm.authorized(delegated, false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.authorized(bound, false, "ResetLockValue").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void anInvalidatedFamilyTakesItsDelegationsAlong() {
        int first = enabledFamily();
        byte[] blob = ownerBlob(first, READ_INTERNAL_PUB);
        load(0, blob);
        manage(first, INVALIDATE, new byte[0]).is(ReturnCode.SUCCESS);

        assertThat(tpm.send("Delegate_ReadTable").hex()).isEqualTo("0000000000000000");
        dsap(EntityType.DELEGATE_OWNER_BLOB, blob).is(ReturnCode.BADINDEX);
        assertThat(enabledFamily()).isEqualTo(first + 1);
    }

    @Test
    void aDelegateManagesItsOwnFamilyAndPassesOnNoMoreThanItHas() {
        int family = enabledFamily();
        int other = enabledFamily();
        int rights = MANAGE | CREATE_OWNER_DELEGATION | UPDATE_VERIFICATION;
        byte[] blob = ownerBlob(family, rights);
        byte[] others = ownerBlob(other, rights);

        createOwner(ownerSession(blob), 0, pub(ANYWHERE, OWNER_BITS, MANAGE, family))
                .is(ReturnCode.SUCCESS);
        createOwner(ownerSession(blob), 0, pub(ANYWHERE, OWNER_BITS, RESET_LOCK_VALUE, family))
                .is(ReturnCode.AUTHFAIL);
        createOwner(ownerSession(blob), 0, pub(ANYWHERE, KEY_BITS, MANAGE, family))
                .is(ReturnCode.BAD_PARAMETER);
        createOwner(ownerSession(blob), 0, pub(ANYWHERE, OWNER_BITS, MANAGE, other))
                .is(ReturnCode.DELEGATE_FAMILY);
        tpm.authorized(ownerSession(blob), false, "Delegate_UpdateVerification", sized(others))
                .is(ReturnCode.DELEGATE_FAMILY);
        tpm.authorized(ownerSession(blob), false, "Delegate_Manage", u32(other), u32(ENABLE), sized(u8(0)))
                .is(ReturnCode.DELEGATE_FAMILY);
        tpm.authorized(ownerSession(blob), false, "Delegate_Manage", u32(family), u32(ENABLE), sized(u8(0)))
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void aLockedFamilyIsStillPassedOnByItsDelegates() {
        int family = enabledFamily();
        byte[] blob = ownerBlob(family, MANAGE | CREATE_OWNER_DELEGATION);
        manage(family, ADMIN, u8(1)).is(ReturnCode.SUCCESS);

        createOwner(ownerSession(blob), 0, pub(ANYWHERE, OWNER_BITS, MANAGE, family))
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void aBlobsTagsAreChecked() {
        byte[] blob = ownerBlob(enabledFamily(), READ_INTERNAL_PUB);
        byte[] ofNeitherKind = blob.clone();
        ofNeitherKind[1] ^= 1;
        byte[] otherPublicTag = blob.clone();
        otherPublicTag[3] ^= 1;

        byte[] tooManyPcrs = blob.clone();
        tooManyPcrs[6]++;
        tpm.send("Delegate_VerifyDelegation", sized(tooManyPcrs)).is(ReturnCode.INVALID_PCR_INFO);
        for (String command : new String[] {"Delegate_VerifyDelegation", "Delegate_UpdateVerification"}) {
            boolean byOwner = command.equals("Delegate_UpdateVerification");
            for (byte[] wrong : new byte[][] {ofNeitherKind, otherPublicTag, new byte[1]}) {
                ReturnCode expected = wrong.length == 1
                        ? ReturnCode.BAD_PARAM_SIZE
                        : wrong == otherPublicTag ? ReturnCode.INVALID_STRUCTURE : ReturnCode.BAD_PARAMETER;
                TestTpm.Response response = byOwner
                        ? tpm.authorized(tpm.oiap(OWNER_AUTH), false, command, sized(wrong))
                        : tpm.send(command, sized(wrong));
                response.is(expected);
            }
        }
    }

    @Test
    void managementIsChecked() {
        int family = enabledFamily();
        manage(family + 1, ENABLE, u8(1)).is(ReturnCode.BADINDEX);
        manage(family, ENABLE, u8(2)).is(ReturnCode.BAD_PARAMETER);
        manage(family, ADMIN, u16(1)).is(ReturnCode.BAD_PARAM_SIZE);
        manage(family, 5, u8(1)).is(ReturnCode.BAD_PARAMETER);
        manage(0, 1, u16(1)).is(ReturnCode.BAD_PARAM_SIZE);
        tpm.send("Delegate_Manage", u32(0), u32(1), sized(u8(65))).is(ReturnCode.AUTHFAIL);
        for (int i = 1; i < 16; i++) {
            manage(0, 1, u8(65)).is(ReturnCode.SUCCESS);
        }
        manage(0, 1, u8(65)).is(ReturnCode.RESOURCES);
        createOwner(osap(OWNER_AUTH), 0, pub(ANYWHERE, KEY_BITS, 0, family)).is(ReturnCode.BAD_PARAMETER);
        createOwner(osap(OWNER_AUTH), 0, pub(ANYWHERE, 3, 0, family)).is(ReturnCode.BAD_PARAMETER);
        createOwner(osap(OWNER_AUTH), 0, pub(ANYWHERE, KEY_BITS, 1 << 29, family))
                .is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void withoutAnOwnerFamiliesAreManagedUntilTheyAreLocked() {
        tpm = TestTpm.started();
        int family = number(
                tpm.send("Delegate_Manage", u32(0), u32(1), sized(u8(65)))
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                4);
        tpm.send("Delegate_Manage", u32(family), u32(ENABLE), sized(u8(1))).is(ReturnCode.SUCCESS);
        byte[] blob = concat(
                u16(0x2A),
                pub(ANYWHERE, OWNER_BITS, 0, family),
                new byte[20],
                sized(new byte[0]),
                sized(concat(u16(0x26), SECRET)));
        tpm.send("Delegate_LoadOwnerDelegation", u32(0), sized(blob)).is(ReturnCode.SUCCESS);
        tpm.send("Delegate_LoadOwnerDelegation", u32(4), sized(blob)).is(ReturnCode.BADINDEX);
        byte[] withoutSecret = Arrays.copyOf(blob, blob.length - 22);
        withoutSecret[withoutSecret.length - 1] = 0;
        tpm.send("Delegate_LoadOwnerDelegation", u32(0), sized(withoutSecret)).is(ReturnCode.BAD_PARAM_SIZE);
        byte[] anotherSecret = blob.clone();
        anotherSecret[blob.length - 21] ^= 1;
        tpm.send("Delegate_LoadOwnerDelegation", u32(0), sized(anotherSecret)).is(ReturnCode.INVALID_STRUCTURE);
        assertThat(tpm.send("Delegate_ReadTable").hex())
                .isEqualTo("0000000f" + "0025" + "41" + "00000001" + "00000001" + "00000001" + "00000037"
                        + "00000000" + "001b" + "41" + "0003000000" + "1f" + "00".repeat(20) + "001a" + "00000001"
                        + "0000000000000000" + "00000001" + "00000001");

        tpm.send("Delegate_Manage", u32(family), u32(ADMIN), sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("Delegate_Manage", u32(family), u32(ADMIN), sized(u8(0))).is(ReturnCode.DELEGATE_LOCK);
        tpm.send("Delegate_LoadOwnerDelegation", u32(0), sized(blob)).is(ReturnCode.DELEGATE_LOCK);
    }

    @Test
    void familiesWithoutAnOwnerSpendTheWritesThatNobodyAuthorises() {
        tpm = TestTpm.started();
        int family = number(
                tpm.send("Delegate_Manage", u32(0), u32(1), sized(u8(65)))
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                4);
        for (int i = 1; i < 64; i++) {
            tpm.send("Delegate_Manage", u32(family), u32(ENABLE), sized(u8(i % 2)))
                    .is(ReturnCode.SUCCESS);
        }
        tpm.send("Delegate_Manage", u32(family), u32(ENABLE), sized(u8(0))).is(ReturnCode.MAXNVWRITES);
    }

    @Test
    void familiesGoWithTheOwnerButTheirNumbersDoNotComeBack() {
        enabledFamily();
        int last = enabledFamily();
        tpm.presence();
        tpm.send("ForceClear").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalSetDeactivated", u8(0)).is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);

        assertThat(tpm.send("Delegate_ReadTable").hex()).isEqualTo("0000000000000000");
        assertThat(number(
                        tpm.send("Delegate_Manage", u32(0), u32(1), sized(u8(65)))
                                .is(ReturnCode.SUCCESS)
                                .parameters(),
                        4))
                .isEqualTo(last + 1);
    }

    @Test
    void certifiableMigrationKeysAreDelegatedAsTheOwnerAllows() {
        assertThat(CmkDelegate.bit(KeyUsage.SIGNING)).isEqualTo(0x80000000);
        assertThat(CmkDelegate.bit(KeyUsage.MIGRATE)).isEqualTo(0x08000000);
        assertThat(CmkDelegate.bit(KeyUsage.IDENTITY)).isZero();
    }

    private int enabledFamily() {
        int family = number(manage(0, 1, u8(65)).is(ReturnCode.SUCCESS).parameters(), 4);
        manage(family, ENABLE, u8(1)).is(ReturnCode.SUCCESS);
        return family;
    }

    private TestTpm.Response manage(int family, int operation, byte[] data) {
        return tpm.authorized(tpm.oiap(OWNER_AUTH), false, "Delegate_Manage", u32(family), u32(operation), sized(data));
    }

    private static byte[] pub(byte[] pcrInfo, int type, int per1, int family) {
        return concat(u16(0x1B), u8(65), pcrInfo, u16(0x1A), u32(type), u32(per1), u32(0), u32(family), u32(1));
    }

    private byte[] ownerBlob(int family, int per1) {
        return createOwner(0, pub(ANYWHERE, OWNER_BITS, per1, family));
    }

    private byte[] createOwner(int increment, byte[] pub) {
        return blob(createOwner(osap(OWNER_AUTH), increment, pub));
    }

    private TestTpm.Response createOwner(TestTpm.GuestSession session, int increment, byte[] pub) {
        return tpm.authorized(
                session, false, "Delegate_CreateOwnerDelegation", u8(increment), pub, tpm.encrypted(session, SECRET));
    }

    private byte[] keyBlob(int key, int family, int per1) {
        byte[] auth = key == Handles.SRK ? SRK_AUTH : GuestKey.USAGE_AUTH;
        TestTpm.GuestSession session = tpm.osap(EntityType.KEY_HANDLE, key, auth);
        return blob(tpm.authorized(
                session,
                false,
                "Delegate_CreateKeyDelegation",
                u32(key),
                pub(ANYWHERE, KEY_BITS, per1, family),
                tpm.encrypted(session, SECRET)));
    }

    private static byte[] blob(TestTpm.Response response) {
        byte[] out = response.is(ReturnCode.SUCCESS).parameters();
        return Arrays.copyOfRange(out, 4, out.length);
    }

    private void load(int row, byte[] blob) {
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "Delegate_LoadOwnerDelegation", u32(row), sized(blob))
                .is(ReturnCode.SUCCESS);
    }

    private TestTpm.Response update(byte[] input) {
        return tpm.authorized(tpm.oiap(OWNER_AUTH), false, "Delegate_UpdateVerification", sized(input));
    }

    private TestTpm.Response dsap(int type, byte[] value) {
        return tpm.send("DSAP", u16(type), u32(Handles.OWNER), new byte[20], sized(value));
    }

    private TestTpm.GuestSession osap(byte[] secret) {
        return tpm.osap(EntityType.OWNER, Handles.OWNER, secret);
    }

    private TestTpm.GuestSession ownerSession(byte[] blob) {
        return tpm.dsap(EntityType.DELEGATE_OWNER_BLOB, Handles.OWNER, blob, SECRET);
    }

    private TestTpm.GuestSession rowSession(int row) {
        return tpm.dsap(EntityType.DELEGATE_ROW, Handles.OWNER, u32(row), SECRET);
    }

    private TestTpm.GuestSession keySession(int key, byte[] blob) {
        return tpm.dsap(EntityType.DELEGATE_KEY_BLOB, key, blob, SECRET);
    }
}
