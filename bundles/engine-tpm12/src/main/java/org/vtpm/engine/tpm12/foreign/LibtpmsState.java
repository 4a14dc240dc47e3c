package org.vtpm.engine.tpm12.foreign;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.engine.tpm12.state.AuditSettings;
import org.vtpm.engine.tpm12.state.Counter;
import org.vtpm.engine.tpm12.state.Counters;
import org.vtpm.engine.tpm12.state.DelegationTables;
import org.vtpm.engine.tpm12.state.Endorsement;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.RsaPrivateKey;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.FamilyTableEntry;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlags;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.NvAttributes;
import org.vtpm.tpm12.structure.NvDataPublic;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.StoreAsymkey;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/**
 * The permanent state that libtpms keeps of a TPM 1.2: TPM_PERMANENT_DATA, TPM_PERMANENT_FLAGS, the keys that only the
 * owner can evict, the NV areas, and SHA-1 over all of it. Sizes of tables are those that Debian builds it with.
 *
 * @param permanent the same TPM's state here; whoever has it zeroes its secrets
 * @param notes what has no place in it, for the operator
 */
public record LibtpmsState(PermanentState permanent, List<String> notes) {
    private static final int TAG_ALL = 0x0001;
    private static final int TAG_PERMANENT_DATA = 0x0022;
    private static final int TAG_NV_DATA_SENSITIVE = 0x0019;
    private static final int TAG_NV_DATA_PUBLIC = 0x0018;

    /** Versions of the flags: before and since revision 103, which added the last one. */
    private static final int FLAGS_94 = 0x0001;

    private static final int FLAGS_103 = 0x0002;

    private static final int EVICT_KEYS = 0x0001;

    /** Versions of the NV areas: with all digests, and without those over no PCR. */
    private static final int NV_FULL = 0x0001;

    private static final int NV_SHORT = 0x0002;

    private static final int MAX_EVICT_KEYS = StClearState.MAX_KEYS / 2;
    private static final int OWNER_EVICT = 1;

    /** Ordinals whose audit status is a bit of a map; the others are TSC_PhysicalPresence and the one after it. */
    private static final int AUDIT_BYTES = 32;

    private static final int TSC_FIRST = 0x4000000A;
    private static final int TSC_COUNT = 2;

    /** TPM_CreateMaintenanceArchive to TPM_ReadManuMaintPub. */
    private static final int FIRST_MAINTENANCE = 0x2C;

    private static final int LAST_MAINTENANCE = 0x30;

    /** TPM_KEY as the endorsement key has it: without PCRs, and {@code secret} is an {@link EndorsementSecret}. */
    record EndorsementKey(
            int version,
            @U16 int keyUsage,
            KeyFlags keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            StorePubkey pubKey,
            @Sized byte[] secret) {}

    /** TPM_STORE_ASYMKEY as the endorsement key has it: {@code prime} is one factor of the modulus. */
    record EndorsementSecret(
            @Fixed(20) byte[] pubDataDigest, @Sized byte[] prime) {}

    /** TPM_SYMMETRIC_KEY_DATA; a key that was not made yet is zeros. */
    @Tag(0x0015)
    record AesKey(boolean valid, @U8 int fill, @Fixed(16) byte[] key) {}

    /** TPM_COUNTER_VALUE with its secret; one that was released keeps its value. */
    @Tag(0x000E)
    record CounterEntry(
            @Fixed(4) byte[] label, int counter, @Fixed(20) byte[] authData, boolean valid) {}

    /** TPM_FAMILY_TABLE_ENTRY without its tag. */
    record FamilyRow(@U8 int familyLabel, int familyId, int verificationCount, int flags, boolean valid) {}

    /** TPM_DELEGATE_TABLE_ROW. */
    @Tag(0x001C)
    record DelegateRow(DelegatePublic pub, @Fixed(20) byte[] authValue, boolean valid) {}

    public LibtpmsState {
        notes = List.copyOf(notes);
    }

    /**
     * Reads a whole state.
     *
     * @param blob what libtpms wrote; stays the caller's
     * @throws EngineStateException if it is anything else, is damaged, or is of another version
     */
    public static LibtpmsState read(byte[] blob) throws EngineStateException {
        int end = blob.length - Sha1.LENGTH;
        if (end < 0) {
            throw new EngineStateException("this is not the state of a TPM 1.2: it has " + blob.length + " bytes only");
        }
        Fields in = new Fields("libtpms' state of this TPM 1.2", blob, 0, end);
        in.constant("the format", TAG_ALL);
        in.constant("TPM_PERMANENT_DATA", TAG_PERMANENT_DATA);
        byte[] digest = new Sha1().update(blob, 0, end).digest();
        if (!Secrets.equal(digest, new Fields("", blob, end, blob.length).bytes("digest", Sha1.LENGTH))) {
            throw new EngineStateException("libtpms' state of this TPM 1.2 is damaged: its digest does not match");
        }
        return new Reader(in).all();
    }

    /** Names no content. */
    @Override
    public String toString() {
        return "LibtpmsState" + notes;
    }

    /** Reads the fields in their order. */
    private static final class Reader {
        private final Fields in;
        private final List<String> notes = new ArrayList<>();

        Reader(Fields in) {
            this.in = in;
        }

        LibtpmsState all() throws EngineStateException {
            byte[] tpmProof = in.bytes("tpmProof", Sha1.LENGTH);
            byte[] ekReset = in.bytes("EKReset", Sha1.LENGTH);
            byte[] ownerAuth = in.bytes("ownerAuth", Sha1.LENGTH);
            byte[] operatorAuth = in.bytes("operatorAuth", Sha1.LENGTH);
            byte[] dir = in.bytes("authDIR", Sha1.LENGTH);
            Pubkey manuMaintPub = in.bool("the mark of manuMaintPub") ? manuMaintPub() : null;
            EndorsementKey endorsementKey = in.structure("endorsementKey", EndorsementKey.class);
            RsaPrivateKey endorsementPrivate = endorsementPrivate(endorsementKey);
            TpmKey srk = in.structure("srk", TpmKey.class);
            StoreAsymkey srkSecret = secret("srk", srk);
            byte[] contextKey = in.structure("contextKey", AesKey.class).key();
            byte[] delegateKey = in.structure("delegateKey", AesKey.class).key();
            int auditCounter =
                    in.structure("auditMonotonicCounter", CounterEntry.class).counter();
            Counters counters = counters();
            byte[] auditStatus = in.bytes("ordinalAuditStatus", AUDIT_BYTES);
            List<DelegationTables.Family> families = families();
            List<DelegationTables.Delegate> delegates = delegates();
            DelegationTables delegation = new DelegationTables(in.i32("lastFamilyID"), families, delegates);
            int noOwnerNvWrites = in.i32("noOwnerNVWrite");
            int restrictDelegate = in.i32("restrictDelegate");
            byte[] tpmDaaSeed = in.bytes("tpmDAASeed", Sha1.LENGTH);
            boolean owned = in.bool("ownerInstalled");
            AuditSettings audit = new AuditSettings(auditCounter, audited(auditStatus, in.u8("tscOrdinalAuditStatus")));
            if (!in.bool("allowLoadMaintPub") && manuMaintPub == null) {
                notes.add(
                        "The TPM took no manufacturer's key for maintenance any more (allowLoadMaintPub); here it takes"
                                + " one, once.");
            }
            byte[] daaProof = in.bytes("daaProof", Sha1.LENGTH);
            byte[] daaBlobKey = in.structure("daaBlobKey", AesKey.class).key();
            if (endorsementPrivate == null && anyIsSet(tpmDaaSeed, daaProof, daaBlobKey)) {
                notes.add(
                        "The TPM has secrets for direct anonymous attestation (DAA), but no endorsement key; here they"
                                + " are made anew together with that.");
            }
            Endorsement endorsement = endorsementPrivate == null
                    ? null
                    : new Endorsement(
                            new Pubkey(endorsementKey.algorithmParms(), endorsementKey.pubKey()),
                            endorsementPrivate,
                            ekReset,
                            tpmDaaSeed,
                            daaProof,
                            daaBlobKey);
            PermanentFlags flags = flags();
            List<LoadedKey> evictKeys = evictKeys();
            List<NvArea> nvAreas = nvAreas();
            if (in.remaining() != 0) {
                throw in.wrong("the end", "is followed by " + in.remaining() + " bytes more");
            }
            Owner owner = null;
            if (owned) {
                if (srkSecret == null) {
                    throw in.wrong("srk", "is missing, though the TPM has an owner");
                }
                LoadedKey root = LoadedKey.srk(
                        srk.withEncData(new byte[0]),
                        privateKey("srk", srk.publicKey(), srkSecret.privKey()),
                        srkSecret.usageAuth(),
                        tpmProof);
                owner = new Owner(ownerAuth, tpmProof, contextKey, delegateKey, root, evictKeys);
                notes.add("Saved contexts, delegation blobs and DAA credentials have each TPM's own format: those that"
                        + " swtpm gave out are not loaded here.");
            } else if (srkSecret != null || !evictKeys.isEmpty()) {
                throw in.wrong("ownerInstalled", "is FALSE, though there are keys of an owner");
            }
            PermanentState state = PermanentState.factory(endorsement)
                    .withFlags(flags)
                    .withOwner(owner)
                    .withOperatorAuth(operatorAuth)
                    .withDir(dir)
                    .withNoOwnerNvWrites(noOwnerNvWrites)
                    .withRestrictDelegate(restrictDelegate)
                    .withNvAreas(nvAreas)
                    .withDelegation(delegation)
                    .withCounters(counters)
                    .withAudit(audit);
            return new LibtpmsState(manuMaintPub == null ? state : state.withManuMaintPub(manuMaintPub), notes);
        }

        private static boolean anyIsSet(byte[]... values) {
            int bits = 0;
            for (byte[] value : values) {
                for (byte each : value) {
                    bits |= each;
                }
            }
            return bits != 0;
        }

        /** Without a key there is an empty structure. */
        private @Nullable Pubkey manuMaintPub() throws EngineStateException {
            Pubkey key = in.structure("manuMaintPub", Pubkey.class);
            if (key.algorithmParms().algorithmId() == Algorithm.NONE) {
                return null;
            }
            rsa("manuMaintPub", key);
            return key;
        }

        private @Nullable RsaPrivateKey endorsementPrivate(EndorsementKey key) throws EngineStateException {
            if (key.secret().length == 0) {
                return null;
            }
            EndorsementSecret secret =
                    Fields.whole(in, "endorsementKey's private part", EndorsementSecret.class, key.secret());
            try {
                return privateKey("endorsementKey", new Pubkey(key.algorithmParms(), key.pubKey()), secret.prime());
            } finally {
                Secrets.zero(key.secret(), secret.prime());
            }
        }

        /** Where others have a key's encrypted part, libtpms keeps it in clear; without a key it is empty. */
        private @Nullable StoreAsymkey secret(String name, TpmKey key) throws EngineStateException {
            if (key.encData().length == 0) {
                return null;
            }
            StoreAsymkey secret = Fields.whole(in, name + "'s private part", StoreAsymkey.class, key.encData());
            Secrets.zero(key.encData());
            return secret;
        }

        private RsaPrivateKey privateKey(String name, Pubkey key, byte[] prime) throws EngineStateException {
            RsaPublicKey publicKey = rsa(name, key);
            if (prime.length == 0 || prime.length >= publicKey.modulus().length) {
                throw in.wrong(name, "has a private part of " + prime.length + " bytes");
            }
            try {
                return RsaPrivateKey.of(
                        org.vtpm.crypto.RsaPrivateKey.ofPrime(publicKey, prime).crt());
            } catch (RsaException e) {
                throw in.wrong(name, "has a private part that is not of its public part");
            }
        }

        private RsaPublicKey rsa(String name, Pubkey key) throws EngineStateException {
            try {
                return key.rsa();
            } catch (TpmException e) {
                throw in.wrong(name, "is no RSA key of the length that it says");
            }
        }

        /**
         * A counter's first value only tells it from others. libtpms does not keep it; the counter's number serves, which
         * no later counter can start with: every one that was made has raised the highest value by one.
         */
        private Counters counters() throws EngineStateException {
            int highest = 0;
            List<Counter> valid = new ArrayList<>();
            for (int id = 0; id < Counters.MAX; id++) {
                CounterEntry entry = in.structure("monotonicCounter[" + id + "]", CounterEntry.class);
                if (Integer.compareUnsigned(entry.counter(), highest) > 0) {
                    highest = entry.counter();
                }
                if (entry.valid()) {
                    valid.add(new Counter(id, id, entry.label(), entry.counter(), entry.authData()));
                }
            }
            if (!valid.isEmpty()
                    && Integer.compareUnsigned(
                                    highest, valid.get(valid.size() - 1).countId())
                            <= 0) {
                throw in.wrong("monotonicCounter", "is lower than the number of counters");
            }
            return new Counters(highest, valid);
        }

        /** The ordinals whose audit status is not that of the command table. */
        private int[] audited(byte[] status, int tscStatus) {
            List<Integer> changed = new ArrayList<>();
            Set<Integer> unknown = new HashSet<>();
            for (int ordinal = 0; ordinal < Byte.SIZE * AUDIT_BYTES; ordinal++) {
                if (((status[ordinal / Byte.SIZE] >> ordinal % Byte.SIZE) & 1) != 0) {
                    unknown.add(ordinal);
                }
            }
            for (int i = 0; i < TSC_COUNT; i++) {
                if (((tscStatus >> i) & 1) != 0) {
                    unknown.add(TSC_FIRST + i);
                }
            }
            for (Command command : CommandTable.all()) {
                boolean on = unknown.remove(command.ordinal());
                boolean unset = !on && maintenance(command.ordinal());
                if (command.audit() == Command.Audit.NEVER) {
                    if (on) {
                        unknown.add(command.ordinal());
                    }
                } else if (!unset && on != (command.audit() == Command.Audit.ON)) {
                    changed.add(command.ordinal());
                }
            }
            if (!unknown.isEmpty()) {
                notes.add("These ordinals were audited and can not be here: "
                        + unknown.stream()
                                .sorted()
                                .map(ordinal -> String.format(Locale.ROOT, "0x%08x", ordinal))
                                .collect(Collectors.joining(", "))
                        + ".");
            }
            return changed.stream().mapToInt(Integer::intValue).toArray();
        }

        /** The ordinals that libtpms is built without: nobody could have them audited, and their bits stay clear. */
        private static boolean maintenance(int ordinal) {
            return ordinal >= FIRST_MAINTENANCE && ordinal <= LAST_MAINTENANCE;
        }

        private List<DelegationTables.Family> families() throws EngineStateException {
            List<DelegationTables.Family> families = new ArrayList<>();
            for (int row = 0; row < DelegationTables.FAMILY_ROWS; row++) {
                FamilyRow family = in.structure("familyTable[" + row + "]", FamilyRow.class);
                if (family.valid()) {
                    families.add(new DelegationTables.Family(
                            row,
                            new FamilyTableEntry(
                                    family.familyLabel(),
                                    family.familyId(),
                                    family.verificationCount(),
                                    family.flags())));
                }
            }
            return families;
        }

        private List<DelegationTables.Delegate> delegates() throws EngineStateException {
            List<DelegationTables.Delegate> delegates = new ArrayList<>();
            for (int row = 0; row < DelegationTables.DELEGATE_ROWS; row++) {
                DelegateRow delegate = in.structure("delegateTable[" + row + "]", DelegateRow.class);
                if (delegate.valid()) {
                    delegates.add(new DelegationTables.Delegate(row, delegate.pub(), delegate.authValue()));
                }
            }
            return delegates;
        }

        /** A bit for each flag, in the structure's order. */
        private PermanentFlags flags() throws EngineStateException {
            int version = in.u16("the version of TPM_PERMANENT_FLAGS");
            if (version != FLAGS_94 && version != FLAGS_103) {
                throw in.wrong("the version of TPM_PERMANENT_FLAGS", "is " + version + ", which is not known");
            }
            int bits = in.i32("TPM_PERMANENT_FLAGS");
            int known = PermanentFlags.Flag.values().length - (version == FLAGS_94 ? 1 : 0);
            if (bits >>> known != 0) {
                throw in.wrong("TPM_PERMANENT_FLAGS", "has flags that are not known");
            }
            return new PermanentFlags(bits);
        }

        private List<LoadedKey> evictKeys() throws EngineStateException {
            in.constant("the version of the owner's keys", EVICT_KEYS);
            int count = in.u16("the number of the owner's keys");
            if (count > MAX_EVICT_KEYS) {
                throw in.wrong("the number of the owner's keys", "is " + count + ", above " + MAX_EVICT_KEYS);
            }
            Set<Integer> handles = new HashSet<>();
            List<LoadedKey> keys = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                LoadedKey key = evictKey("owner's key " + i);
                if (!handles.add(key.handle())) {
                    throw in.wrong("owner's key " + i, "has the handle of another one");
                }
                keys.add(key);
            }
            return keys;
        }

        private LoadedKey evictKey(String name) throws EngineStateException {
            int handle = in.i32(name + ": handle");
            if (handle == Handles.SRK || handle == Handles.EK || Handles.namesNoKey(handle)) {
                throw in.wrong(name, "has a handle that is reserved");
            }
            TpmKey key = in.structure(name, TpmKey.class);
            StoreAsymkey secret = secret(name, key);
            boolean usable = secret != null
                    && switch (secret.payload()) {
                        case PayloadType.ASYM, PayloadType.MIGRATE_RESTRICTED, PayloadType.MIGRATE_EXTERNAL -> true;
                        default -> false;
                    };
            if (secret == null || !usable) {
                throw in.wrong(name, "has no private part of a key");
            }
            RsaPrivateKey privateKey = privateKey(name, key.publicKey(), secret.privKey());
            Secrets.zero(secret.privKey());
            boolean parentPcrStatus = in.bool(name + ": parentPCRStatus");
            if (in.i32(name + ": keyControl") != OWNER_EVICT) {
                throw in.wrong(name, "has a keyControl other than TPM_KEY_CONTROL_OWNER_EVICT");
            }
            return new LoadedKey(
                    handle,
                    key.withEncData(new byte[0]),
                    privateKey,
                    secret.usageAuth(),
                    secret.migrationAuth(),
                    secret.payload(),
                    parentPcrStatus);
        }

        private List<NvArea> nvAreas() throws EngineStateException {
            int version = in.u16("the version of the NV areas");
            if (version != NV_FULL && version != NV_SHORT) {
                throw in.wrong("the version of the NV areas", "is " + version + ", which is not known");
            }
            int count = in.i32("the number of NV areas");
            Set<Integer> indices = new HashSet<>();
            List<NvArea> areas = new ArrayList<>();
            for (int i = 0; i != count; i++) {
                NvArea area = nvArea("NV area " + i, version == NV_FULL);
                if (!indices.add(area.pub().nvIndex())) {
                    throw in.wrong("NV area " + i, "has the index of another one");
                }
                areas.add(area);
            }
            return areas;
        }

        /** The locks that end with the power, bReadSTClear and bWriteSTClear, have ended. */
        private NvArea nvArea(String name, boolean full) throws EngineStateException {
            in.constant(name, TAG_NV_DATA_SENSITIVE);
            in.constant(name + ": pubInfo", TAG_NV_DATA_PUBLIC);
            int nvIndex = in.i32(name + ": nvIndex");
            if (nvIndex == NvIndex.GLOBAL_LOCK || !NvIndex.definable(nvIndex)) {
                throw in.wrong(name, "has an index that no area can have: 0x" + Integer.toHexString(nvIndex));
            }
            PcrInfoShort read = pcrInfo(name + ": pcrInfoRead", full);
            PcrInfoShort write = pcrInfo(name + ": pcrInfoWrite", full);
            NvAttributes permission = in.structure(name + ": permission", NvAttributes.class);
            in.bool(name + ": bReadSTClear");
            in.bool(name + ": bWriteSTClear");
            boolean writeDefine = in.bool(name + ": bWriteDefine");
            int dataSize = in.i32(name + ": dataSize");
            byte[] authValue = in.bytes(name + ": authValue", Sha1.LENGTH);
            byte[] data = in.bytes(name + ": data", NvIndex.gpio(nvIndex) ? 0 : dataSize);
            return new NvArea(
                    new NvDataPublic(nvIndex, read, write, permission, false, false, writeDefine, dataSize),
                    authValue,
                    data);
        }

        private PcrInfoShort pcrInfo(String name, boolean full) throws EngineStateException {
            PcrSelection selection = in.structure(name, PcrSelection.class);
            int localities = in.u8(name + ": localityAtRelease");
            byte[] digest = full || !selection.isEmpty()
                    ? in.bytes(name + ": digestAtRelease", Sha1.LENGTH)
                    : new byte[Sha1.LENGTH];
            try {
                return new PcrInfoShort(selection, localities, digest);
            } catch (TpmException e) {
                throw in.wrong(name, "names localities that there are not");
            }
        }
    }
}
