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

import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.ReturnCode;

/**
 * A session of a guest that uses whatever a TPM keeps between commands. On a TPM with the same random numbers it sends the
 * same commands.
 */
final class GuestScript {
    private static final byte[] DIGEST = Sha1.of(u8(1));
    private static final byte[] LABEL = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f");
    private static final byte[] PCR_16 = HexFormat.of().parseHex("0003000001");
    private static final byte[] WRONG = new byte[20];
    private static final byte[] DATA_AUTH = Sha1.of(u8(2));
    private static final byte[] NEW_AUTH = Sha1.of(u8(3));
    private static final byte[] NOTHING = {};
    private static final int KEY = 1;
    private static final int AUTH = 2;
    private static final int TRANSPORT = 4;
    private static final int NO_AUTH = 0;
    /** The protocol of TPM_ChangeAuth and TPM_ChangeAuthOwner. */
    private static final int ADCP = 4;

    private static final DaaIssuerHost HOST = new DaaIssuerHost();
    private static final byte[] BASE = HOST.newBase();

    private GuestScript() {}

    /** Random numbers that are always the same. */
    static SecureRandom generator() {
        try {
            SecureRandom random = SecureRandom.getInstance("SHA1PRNG");
            random.setSeed(7);
            return random;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Begins before Startup and ends without an owner; every answer is checked. */
    static void run(TestTpm tpm) {
        tpm.send("GetTicks").is(ReturnCode.INVALID_POSTINIT);
        tpm.startup(StartupMode.CLEAR);
        tpm.presence();
        measure(tpm);
        useSessionsAndKeys(tpm);
        useNv(tpm);
        lockNv(tpm);
        keepContextsOutside(tpm);
        countAndAudit(tpm);
        certify(tpm);
        wrap(tpm);
        wrapEncrypted(tpm);
        unbind(tpm);
        changeSecrets(tpm);
        delegate(tpm);
        move(tpm);
        attest(tpm);
        attestAnonymously(tpm);
        guess(tpm);
        sleep(tpm);
        readAfterSleep(tpm);
        tpm.presence();
        tpm.send("SetOwnerInstall", u8(1));
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(4), sized(u32(0x108))).is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(4), sized(u32(0x109))).is(ReturnCode.SUCCESS);
        tpm.send("ReadPubek", DIGEST).is(ReturnCode.SUCCESS);
    }

    private static void measure(TestTpm tpm) {
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(0), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", sized(new byte[128])).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", sized(new byte[64])).is(ReturnCode.SUCCESS);
        tpm.send("SHA1CompleteExtend", u32(3), sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("GetRandom", u32(16)).is(ReturnCode.SUCCESS);
        tpm.send("SHA1Complete", sized(u8(1))).is(ReturnCode.SHA_THREAD);
        tpm.send("StirRandom", sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("GetTestResult").is(ReturnCode.SUCCESS);
        tpm.send("SelfTestFull").is(ReturnCode.SUCCESS);
        tpm.send("GetTicks").is(ReturnCode.SUCCESS);
        tpm.send("PCR_Reset", PCR_16).is(ReturnCode.SUCCESS);
    }

    private static void useSessionsAndKeys(TestTpm tpm) {
        GuestSession kept = tpm.oiap(OWNER_AUTH);
        int signing = GuestKey.signing().load(tpm);
        GuestSession bound = tpm.osap(EntityType.KEY_HANDLE, signing, USAGE_AUTH);
        for (int i = 0; i < 3; i++) {
            tpm.authorized(bound, true, "Sign", u32(signing), sized(DIGEST)).is(ReturnCode.SUCCESS);
            tpm.authorized(kept, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        }
        tpm.authorized(bound, true, "Quote", u32(signing), DIGEST, PCR_16).is(ReturnCode.SUCCESS);
        tpm.authorized(bound, true, "Quote2", u32(signing), DIGEST, PCR_16, u8(1))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(bound, true, "TickStampBlob", u32(signing), DIGEST, DIGEST)
                .is(ReturnCode.SUCCESS);
        tpm.authorized(bound, false, "GetPubKey", u32(signing)).is(ReturnCode.SUCCESS);
        GuestSession sealing = tpm.osap(EntityType.SRK, 0, SRK_AUTH);
        byte[] sealed = tpm.authorized(
                        sealing,
                        false,
                        "Seal",
                        u32(Handles.SRK),
                        tpm.encrypted(sealing, DATA_AUTH),
                        sized(NOTHING),
                        sized(DIGEST))
                .is(ReturnCode.SUCCESS)
                .parameters();
        tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(DATA_AUTH), "Unseal", u32(Handles.SRK), sealed)
                .is(ReturnCode.SUCCESS);
        tpm.send("EvictKey", u32(signing)).is(ReturnCode.SUCCESS);
        tpm.send("EvictKey", u32(signing)).is(ReturnCode.INVALID_KEYHANDLE);
        tpm.authorized(kept, false, "CMK_SetRestrictions", u32(0)).is(ReturnCode.SUCCESS);
    }

    private static void useNv(TestTpm tpm) {
        tpm.send("NV_WriteValue", u32(0x1000), u32(1), sized(new byte[] {5, 6})).is(ReturnCode.SUCCESS);
        tpm.send("NV_ReadValue", u32(0x1000), u32(0), u32(4)).is(ReturnCode.SUCCESS);
        byte[] lockable = NvGuest.area(
                0x1001, NvGuest.ANYWHERE, NvGuest.pcr16(new byte[20]), 4, Permission.PPWRITE, Permission.WRITE_STCLEAR);
        tpm.send("NV_DefineSpace", lockable, NvGuest.SECRET).is(ReturnCode.SUCCESS);
        tpm.send("NV_WriteValue", u32(0x1001), u32(0), sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("NV_WriteValue", u32(0x1001), u32(0), sized(NOTHING));
        tpm.send("NV_WriteValue", u32(0x1001), u32(0), sized(u8(2)));
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "DirWriteAuth", u32(0), DIGEST)
                .is(ReturnCode.SUCCESS);
        tpm.send("DirRead", u32(0)).is(ReturnCode.SUCCESS);
        tpm.send("GetCapability", u32(0xD), sized(NOTHING)).is(ReturnCode.SUCCESS);
    }

    private static void keepContextsOutside(TestTpm tpm) {
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        byte[] savedKey = tpm.send("SaveContext", u32(key), u32(KEY), LABEL)
                .is(ReturnCode.SUCCESS)
                .parameters();
        GuestSession session = tpm.oiap(OWNER_AUTH);
        byte[] savedSession = tpm.send("SaveContext", u32(session.handle), u32(AUTH), LABEL)
                .is(ReturnCode.SUCCESS)
                .parameters();
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
        tpm.send("LoadContext", u32(0), u8(1), savedKey).is(ReturnCode.SUCCESS);
        tpm.send("Sign", u32(key), sized(DIGEST)).is(ReturnCode.SUCCESS);
        tpm.send("LoadContext", u32(0), u8(1), savedSession).is(ReturnCode.SUCCESS);
        tpm.send("LoadContext", u32(0), u8(1), savedSession).is(ReturnCode.BADCONTEXT);
        tpm.authorized(session, false, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
    }

    private static void countAndAudit(TestTpm tpm) {
        int first = number(counter(tpm), 0);
        int second = number(counter(tpm), 0);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "IncrementCounter", u32(first))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "IncrementCounter", u32(second))
                .is(ReturnCode.BAD_COUNTER);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "IncrementCounter", u32(first))
                .is(ReturnCode.SUCCESS);
        tpm.send("ReadCounter", u32(first)).is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "SetOrdinalAuditStatus", u32(0x14), u8(1))
                .is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("GetAuditDigest", u32(0)).is(ReturnCode.SUCCESS);
    }

    private static byte[] counter(TestTpm tpm) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        return tpm.authorized(session, false, "CreateCounter", tpm.encrypted(session, DATA_AUTH), u32(7))
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private static void certify(TestTpm tpm) {
        int certifier = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        int key = GuestKey.signing().withAuthDataUsage(0).load(tpm);
        tpm.send("CertifyKey", u32(certifier), u32(key), DIGEST).is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(certifier), u32(KEY)).is(ReturnCode.SUCCESS);
        tpm.send("CertifyKey", u32(certifier), u32(key), DIGEST).is(ReturnCode.INVALID_KEYHANDLE);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
    }

    private static void wrap(TestTpm tpm) {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        transport.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        transport.send("PcrRead", u32(16)).is(ReturnCode.SUCCESS);
        transport.sendLast("PCR_Reset", PCR_16).is(ReturnCode.SUCCESS);
    }

    private static void move(TestTpm tpm) {
        byte[] target = concat(GuestOwner.PARMS, sized(modulus()));
        byte[] destination = tpm.authorized(tpm.oiap(OWNER_AUTH), false, "AuthorizeMigrationKey", u16(2), target)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] wrapped = GuestKey.signing()
                .withFlags(GuestKey.MIGRATABLE)
                .create(tpm)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] encData = Arrays.copyOfRange(wrapped, wrapped.length - 256, wrapped.length);
        tpm.authorized(
                        tpm.oiap(SRK_AUTH),
                        tpm.oiap(GuestKey.MIGRATION_AUTH),
                        "CreateMigrationBlob",
                        u32(Handles.SRK),
                        u16(2),
                        destination,
                        sized(encData))
                .is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "CMK_ApproveMA", DIGEST).is(ReturnCode.SUCCESS);
    }

    private static byte[] modulus() {
        byte[] modulus = new byte[256];
        Arrays.fill(modulus, (byte) 0xC5);
        return modulus;
    }

    private static void attest(TestTpm tpm) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        tpm.authorized(
                        tpm.oiap(SRK_AUTH),
                        session,
                        "MakeIdentity",
                        tpm.encrypted(session, USAGE_AUTH),
                        DIGEST,
                        GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 2, 2048, NOTHING)
                                .keyInfo())
                .is(ReturnCode.SUCCESS);
        int join = number(join(tpm, 0, 0, u32(1)).is(ReturnCode.SUCCESS).parameters(), 4);
        join(tpm, join, 1, modulus()).is(ReturnCode.SUCCESS);
        join(tpm, join, 3, NOTHING).is(ReturnCode.DAA_STAGE);
        join(tpm, 0, 0, u32(2)).is(ReturnCode.SUCCESS);
    }

    private static TestTpm.Response join(TestTpm tpm, int handle, int stage, byte[] input) {
        return tpm.authorized(
                tpm.oiap(OWNER_AUTH), false, "DAA_Join", u32(handle), u8(stage), sized(input), sized(NOTHING));
    }

    private static void guess(TestTpm tpm) {
        for (int failure = 0; failure < 6; failure++) {
            tpm.authorized(tpm.oiap(WRONG), false, "GetCapabilityOwner").is(ReturnCode.AUTHFAIL);
        }
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "GetCapabilityOwner").is(ReturnCode.DEFEND_LOCK_RUNNING);
        tpm.authorized(tpm.oiap(WRONG), false, "ResetLockValue").is(ReturnCode.AUTHFAIL);
        tpm.clock.addAndGet(3_000_000_000L);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "ResetLockValue").is(ReturnCode.SUCCESS);
    }

    private static void sleep(TestTpm tpm) {
        GuestSession session = tpm.oiap(OWNER_AUTH);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.send("GetTicks").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        byte[] resume = tpm.startupCommand(StartupMode.STATE);
        TestTpm.parse(tpm.execute(0, resume)).is(ReturnCode.FAILEDSELFTEST);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
    }
    /** The locks of areas, that last and that do not, and ticks between them. */
    private static void lockNv(TestTpm tpm) {
        defineNv(tpm, 0x1002, Permission.READ_STCLEAR);
        defineNv(tpm, 0x1003, Permission.WRITEDEFINE);
        defineNv(tpm, 0x1004, Permission.GLOBALLOCK);
        tpm.send("NV_DefineSpace", NvGuest.area(-1, NvGuest.ANYWHERE, NvGuest.ANYWHERE, 0), NvGuest.SECRET)
                .is(ReturnCode.SUCCESS);
        writeNv(tpm, 0x1001, u8(3)).is(ReturnCode.AREA_LOCKED);
        writeNv(tpm, 0x1002, u8(3)).is(ReturnCode.SUCCESS);
        readNv(tpm, 0x1002, 0).is(ReturnCode.SUCCESS);
        readNv(tpm, 0x1002, 1).is(ReturnCode.DISABLED_CMD);
        tpm.send("GetTicks").is(ReturnCode.SUCCESS);
        writeNv(tpm, 0x1003, NOTHING).is(ReturnCode.SUCCESS);
        writeNv(tpm, 0x1003, u8(3)).is(ReturnCode.AREA_LOCKED);
        writeNv(tpm, 0x1004, u8(3)).is(ReturnCode.SUCCESS);
        writeNv(tpm, 0, NOTHING).is(ReturnCode.SUCCESS);
        writeNv(tpm, 0x1004, u8(4)).is(ReturnCode.AREA_LOCKED);
        tpm.send("GetCapability", u32(0x11), sized(u32(0x1004))).is(ReturnCode.SUCCESS);
    }

    /** After a power cycle only what locks for good does. */
    private static void readAfterSleep(TestTpm tpm) {
        tpm.presence();
        readNv(tpm, 0x1002, 1).is(ReturnCode.SUCCESS);
        writeNv(tpm, 0x1003, u8(3)).is(ReturnCode.AREA_LOCKED);
        writeNv(tpm, 0x1004, u8(5)).is(ReturnCode.SUCCESS);
        readNv(tpm, 0x1004, 4).is(ReturnCode.SUCCESS);
        tpm.send("DirRead", u32(0)).is(ReturnCode.SUCCESS);
    }

    private static void defineNv(TestTpm tpm, int index, Permission lock) {
        byte[] area = NvGuest.area(index, NvGuest.ANYWHERE, NvGuest.ANYWHERE, 4, Permission.PPWRITE, lock);
        tpm.send("NV_DefineSpace", area, NvGuest.SECRET).is(ReturnCode.SUCCESS);
    }

    private static TestTpm.Response writeNv(TestTpm tpm, int index, byte[] data) {
        return tpm.send("NV_WriteValue", u32(index), u32(0), sized(data));
    }

    private static TestTpm.Response readNv(TestTpm tpm, int index, int size) {
        return tpm.send("NV_ReadValue", u32(index), u32(0), u32(size));
    }

    /** A session that encrypts and logs, to its signed end. */
    private static void wrapEncrypted(TestTpm tpm) {
        int legacy =
                GuestKey.of(KeyUsage.LEGACY, 0, NO_AUTH, 3, 2, 1024, NOTHING).load(tpm);
        byte[] pubkey = publicKey(tpm, legacy);
        byte[] secret = GuestKey.encrypt(pubkey, concat(u16(0x1D), GuestTransport.SECRET), generator());
        int signer =
                GuestKey.of(KeyUsage.SIGNING, 0, NO_AUTH, 1, 2, 1024, NOTHING).load(tpm);
        for (GuestTransport.Scheme scheme :
                List.of(GuestTransport.Scheme.CTR, GuestTransport.Scheme.OFB, GuestTransport.Scheme.MGF1)) {
            GuestTransport transport = GuestTransport.encrypted(tpm, scheme, GuestTransport.LOG, legacy, secret);
            transport.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
            transport.send("PcrRead", u32(99)).is(ReturnCode.BADINDEX);
            transport.authorized(tpm.oiap(OWNER_AUTH), "GetCapabilityOwner").is(ReturnCode.SUCCESS);
            transport.send("Sign", u32(signer), sized(DIGEST)).is(ReturnCode.SUCCESS);
            tpm.send(
                            0,
                            TestTpm.AUTH1,
                            "ReleaseTransportSigned",
                            u32(signer),
                            GuestTransport.ANTI_REPLAY,
                            transport.releasing(GuestTransport.SECRET))
                    .is(ReturnCode.SUCCESS);
        }
        GuestTransport exclusive = GuestTransport.plain(tpm, GuestTransport.EXCLUSIVE);
        exclusive.send("SHA1Start").is(ReturnCode.SUCCESS);
        exclusive.send("SHA1Complete", sized(u8(1))).is(ReturnCode.SUCCESS);
        tpm.send("GetTicks").is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(exclusive.handle), u32(TRANSPORT)).is(ReturnCode.INVALID_AUTHHANDLE);
        for (int key : new int[] {legacy, signer}) {
            tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
        }
    }

    private static byte[] publicKey(TestTpm tpm, int key) {
        return tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS).parameters();
    }

    private static void unbind(TestTpm tpm) {
        int key = GuestKey.bind(1024).withAuthDataUsage(NO_AUTH).load(tpm);
        byte[] bound = GuestKey.encrypt(
                publicKey(tpm, key), concat(HexFormat.of().parseHex("0101000002"), DIGEST), generator());
        byte[] clear = tpm.send("UnBind", u32(key), sized(bound))
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(clear).isEqualTo(sized(DIGEST));
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
    }

    /** Of a key, and of the owner, who takes the old one again. */
    private static void changeSecrets(TestTpm tpm) {
        byte[] wrapped = GuestKey.signing().create(tpm).is(ReturnCode.SUCCESS).parameters();
        byte[] encData = Arrays.copyOfRange(wrapped, wrapped.length - 256, wrapped.length);
        GuestSession parent = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, SRK_AUTH);
        byte[] changed = tpm.authorized(
                        parent,
                        tpm.oiap(USAGE_AUTH),
                        "ChangeAuth",
                        u32(Handles.SRK),
                        u16(ADCP),
                        tpm.encrypted(parent, NEW_AUTH),
                        u16(EntityType.KEY),
                        sized(encData))
                .is(ReturnCode.SUCCESS)
                .parameters();
        int key = GuestKey.load(tpm, concat(Arrays.copyOf(wrapped, wrapped.length - 256 - 4), changed));
        tpm.authorized(tpm.oiap(NEW_AUTH), false, "Sign", u32(key), sized(DIGEST))
                .is(ReturnCode.SUCCESS);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);
        GuestSession bound = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        changeOwner(tpm, OWNER_AUTH, NEW_AUTH);
        tpm.authorized(bound, false, "GetCapabilityOwner").is(ReturnCode.INVALID_AUTHHANDLE);
        changeOwner(tpm, NEW_AUTH, OWNER_AUTH);
    }

    private static void changeOwner(TestTpm tpm, byte[] from, byte[] to) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, from);
        tpm.authorized(session, false, "ChangeAuthOwner", u16(ADCP), tpm.encrypted(session, to), u16(EntityType.OWNER))
                .is(ReturnCode.SUCCESS);
    }

    /** A family, its delegations as blobs and as a row, and who uses them. */
    private static void delegate(TestTpm tpm) {
        int family = number(manage(tpm, 0, 1, u8(65)).is(ReturnCode.SUCCESS).parameters(), 4);
        manage(tpm, family, 2, u8(1)).is(ReturnCode.SUCCESS);
        GuestSession owner = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER_AUTH);
        byte[] blob = blob(tpm.authorized(
                owner,
                false,
                "Delegate_CreateOwnerDelegation",
                u8(0),
                delegation(1, 1 << 18, family),
                tpm.encrypted(owner, NEW_AUTH)));
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "Delegate_LoadOwnerDelegation", u32(1), sized(blob))
                .is(ReturnCode.SUCCESS);
        tpm.send("Delegate_ReadTable").is(ReturnCode.SUCCESS);
        tpm.send("Delegate_VerifyDelegation", sized(blob)).is(ReturnCode.SUCCESS);

        GuestSession byBlob = tpm.dsap(EntityType.DELEGATE_OWNER_BLOB, Handles.OWNER, blob, NEW_AUTH);
        GuestSession byRow = tpm.dsap(EntityType.DELEGATE_ROW, Handles.OWNER, u32(1), NEW_AUTH);
        for (GuestSession session : List.of(byBlob, byRow, byBlob, byRow)) {
            tpm.authorized(session, true, "OwnerReadInternalPub", u32(Handles.SRK))
                    .is(ReturnCode.SUCCESS);
        }
        tpm.authorized(byBlob, true, "ResetLockValue").is(ReturnCode.AUTHFAIL);
        tpm.send("SetOwnerPointer", u16(EntityType.DELEGATE_ROW), u32(1)).is(ReturnCode.SUCCESS);
        tpm.authorized(tpm.oiap(NEW_AUTH), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS);
        tpm.send("SetOwnerPointer", u16(EntityType.OWNER), u32(0)).is(ReturnCode.SUCCESS);

        int key = GuestKey.signing().load(tpm);
        GuestSession keys = tpm.osap(EntityType.KEY_HANDLE, key, USAGE_AUTH);
        byte[] keyBlob = blob(tpm.authorized(
                keys,
                false,
                "Delegate_CreateKeyDelegation",
                u32(key),
                delegation(2, 1 << 14, family),
                tpm.encrypted(keys, NEW_AUTH)));
        GuestSession signer = tpm.dsap(EntityType.DELEGATE_KEY_BLOB, key, keyBlob, NEW_AUTH);
        tpm.authorized(signer, true, "Sign", u32(key), sized(DIGEST)).is(ReturnCode.SUCCESS);
        tpm.authorized(signer, false, "GetPubKey", u32(key)).is(ReturnCode.AUTHFAIL);
        tpm.send("FlushSpecific", u32(key), u32(KEY)).is(ReturnCode.SUCCESS);

        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "Delegate_UpdateVerification", sized(u32(1)))
                .is(ReturnCode.SUCCESS);
        manage(tpm, family, 2, u8(0)).is(ReturnCode.SUCCESS);
        tpm.send("DSAP", u16(EntityType.DELEGATE_ROW), u32(Handles.OWNER), DIGEST, sized(u32(1)))
                .is(ReturnCode.DISABLED_CMD);
        manage(tpm, family, 4, NOTHING).is(ReturnCode.SUCCESS);
        tpm.send("Delegate_ReadTable").is(ReturnCode.SUCCESS);
    }

    private static TestTpm.Response manage(TestTpm tpm, int family, int operation, byte[] data) {
        return tpm.authorized(tpm.oiap(OWNER_AUTH), false, "Delegate_Manage", u32(family), u32(operation), sized(data));
    }

    /** TPM_DELEGATE_PUBLIC for everywhere. */
    private static byte[] delegation(int type, int permissions, int family) {
        byte[] anywhere = concat(u16(3), new byte[3], u8(0x1F), new byte[20]);
        return concat(u16(0x1B), u8(65), anywhere, u16(0x1A), u32(type), u32(permissions), u32(0), u32(family), u32(1));
    }

    private static byte[] blob(TestTpm.Response response) {
        byte[] out = response.is(ReturnCode.SUCCESS).parameters();
        return Arrays.copyOfRange(out, 4, out.length);
    }

    /** A join and a signature of direct anonymous attestation, through all stages. */
    private static void attestAnonymously(TestTpm tpm) {
        byte[] endorsementKey = tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadInternalPub", u32(Handles.EK))
                .is(ReturnCode.SUCCESS)
                .parameters();
        DaaIssuerHost.Stages join = stages(tpm, "DAA_Join", u32(2));
        HOST.introduce(join);
        byte[][] bases = {HOST.r0(), HOST.r1(), HOST.s0(), HOST.s1()};
        for (int i = 0; i < bases.length; i++) {
            join.send(4 + i, bases[i], HOST.n());
        }
        join.send(8, GuestKey.encrypt(endorsementKey, DIGEST, generator()), NOTHING);
        for (int i = 0; i < bases.length; i++) {
            join.send(9 + i, bases[i], HOST.n());
        }
        join.send(13, HOST.gamma(), BASE);
        join.send(14, HOST.gamma(), NOTHING);
        join.send(15, HOST.gamma(), NOTHING);
        join.send(16, DIGEST, NOTHING);
        for (int stage = 17; stage <= 21; stage++) {
            join.send(stage, NOTHING, NOTHING);
        }
        byte[] v0 = join.send(22, new byte[128], NOTHING);
        byte[] v1 = join.send(23, new byte[192], NOTHING);
        byte[] credential = join.send(24, NOTHING, NOTHING);

        DaaIssuerHost.Stages sign = stages(tpm, "DAA_Sign", HOST.settings());
        sign.send(1, credential, NOTHING);
        for (int i = 0; i < bases.length; i++) {
            sign.send(2 + i, bases[i], HOST.n());
        }
        sign.send(6, HOST.gamma(), BASE);
        sign.send(7, HOST.gamma(), NOTHING);
        sign.send(8, HOST.gamma(), NOTHING);
        sign.send(9, DIGEST, NOTHING);
        sign.send(10, u8(1), DIGEST);
        sign.send(11, NOTHING, NOTHING);
        sign.send(12, NOTHING, NOTHING);
        sign.send(13, v0, NOTHING);
        sign.send(14, v0, NOTHING);
        sign.send(15, v1, NOTHING);
    }

    private static DaaIssuerHost.Stages stages(TestTpm tpm, String command, byte[] first) {
        int handle = number(stage(tpm, command, 0, 0, first, NOTHING), 0);
        return (stage, input0, input1) -> stage(tpm, command, handle, stage, input0, input1);
    }

    private static byte[] stage(TestTpm tpm, String command, int handle, int stage, byte[] input0, byte[] input1) {
        byte[] out = tpm.authorized(
                        tpm.oiap(OWNER_AUTH), false, command, u32(handle), u8(stage), sized(input0), sized(input1))
                .is(ReturnCode.SUCCESS)
                .parameters();
        return Arrays.copyOfRange(out, 4, out.length);
    }
}
