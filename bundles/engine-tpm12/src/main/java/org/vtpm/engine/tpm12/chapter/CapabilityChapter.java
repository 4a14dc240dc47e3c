package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Counter;
import org.vtpm.engine.tpm12.state.DaaSession;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Lockout;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.NvLocks;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.TransportSession;
import org.vtpm.engine.tpm12.state.VolatileState.SelfTest;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.NvDataPublic;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** The capability commands that read (TPM Main Part 3, section 7.1, and Part 2, section 21). */
public final class CapabilityChapter implements Chapter {
    // TPM_CAPABILITY_AREA (TPM Main Part 2, section 21.1).
    private static final int CAP_ORD = 0x01;
    private static final int CAP_ALG = 0x02;
    private static final int CAP_PID = 0x03;
    private static final int CAP_FLAG = 0x04;
    private static final int CAP_PROPERTY = 0x05;
    private static final int CAP_VERSION = 0x06;
    private static final int CAP_KEY_HANDLE = 0x07;
    private static final int CAP_CHECK_LOADED = 0x08;
    private static final int CAP_SYM_MODE = 0x09;
    private static final int CAP_KEY_STATUS = 0x0C;
    private static final int CAP_NV_LIST = 0x0D;
    private static final int CAP_MFR = 0x10;
    private static final int CAP_NV_INDEX = 0x11;
    private static final int CAP_TRANS_ALG = 0x12;
    private static final int CAP_HANDLE = 0x14;
    private static final int CAP_TRANS_ES = 0x15;
    private static final int CAP_AUTH_ENCRYPT = 0x17;
    private static final int CAP_SELECT_SIZE = 0x18;
    private static final int CAP_DA_LOGIC = 0x19;
    private static final int CAP_VERSION_VAL = 0x1A;

    private static final int FLAG_PERMANENT = 0x108;
    private static final int FLAG_VOLATILE = 0x109;
    /** TPM_PROTOCOL_ID: OIAP, OSAP, ADIP, ADCP, OWNER, DSAP, TRANSPORT. */
    private static final int[] PROTOCOLS = {1, 2, 3, 4, 5, 6, 7};

    private static final int[] NONE = {};

    record GetCapability(int capArea, @Sized byte[] subCap) {
        /** The sub-capability as a number of exactly this width. */
        int number(int width) {
            require(subCap.length == width, ReturnCode.BAD_MODE);
            int number = 0;
            for (byte digit : subCap) {
                number = (number << 8) | (digit & 0xFF);
            }
            return number;
        }
    }

    record Capability(@Sized byte[] resp) {}

    record GetCapabilitySigned(
            int keyHandle,
            @Fixed(20) byte[] antiReplay,
            int capArea,
            @Sized byte[] subCap) {}

    record SignedCapability(
            Identification.StructVer version,
            @Sized byte[] resp,
            @Sized byte[] sig) {}

    record OwnerCapability(Identification.StructVer version, int nonVolatileFlags, int volatileFlags) {}

    /** TPM_KEY_HANDLE_LIST (TPM Main Part 2, section 5.6). */
    record HandleList(@Counted(prefix = 2) int[] handles) {}

    record NvList(@Rest int[] indices) {}

    /** TPM_SELECT_SIZE (TPM Main Part 2, section 8.7). */
    record SelectSize(SelectVersion version, @U16 int reqSize) {}

    /** The version of TPM_SELECT_SIZE: 1.1 or 1.2. */
    record SelectVersion(@U8 int major, @U8 int minor) {
        SelectVersion {
            require(major == 1 && (minor == 1 || minor == 2), ReturnCode.BAD_PARAMETER);
        }
    }

    /** TPM_DA_ACTION_TYPE (TPM Main Part 2, section 21.9.3). */
    @Tag(0x0039)
    record DaActionType(int actions) {
        private static final DaActionType TIMEOUT = new DaActionType(1);
    }

    /** TPM_DA_INFO (TPM Main Part 2, section 21.9.1). */
    @Tag(0x0037)
    record DaInfo(
            @U8 int state,
            @U16 int currentCount,
            @U16 int thresholdCount,
            DaActionType actionAtThreshold,
            int actionDependValue,
            @Sized byte[] vendorData) {}

    /** TPM_DA_INFO_LIMITED (TPM Main Part 2, section 21.9.2). */
    @Tag(0x0038)
    record DaInfoLimited(
            @U8 int state,
            DaActionType actionAtThreshold,
            @Sized byte[] vendorData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("GetCapability", GetCapability.class, (tx, request) -> getCapability(handlers, tx, request));
        handlers.on(
                "GetCapabilitySigned",
                GetCapabilitySigned.class,
                (tx, request) -> getCapabilitySigned(handlers, tx, request));
        handlers.on("GetCapabilityOwner", NoParameters.class, CapabilityChapter::getCapabilityOwner);
    }

    /** Signs what TPM_GetCapability answers (command of version 1.1, deleted from version 1.2). */
    private static Record getCapabilitySigned(Handlers handlers, Transaction tx, GetCapabilitySigned request) {
        LoadedKey key = Keys.use(tx, request.keyHandle());
        byte[] resp = getCapability(handlers, tx, new GetCapability(request.capArea(), request.subCap()))
                .resp();
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.IDENTITY, KeyUsage.LEGACY);
        Signature.requireScheme(key, ReturnCode.INAPPROPRIATE_SIG, Algorithm.SS_RSASSAPKCS1V15_SHA1);
        return new SignedCapability(
                Identification.version(), resp, Signature.ofDigest(tx, key, Sha1.of(resp, request.antiReplay())));
    }

    private static Capability getCapability(Handlers handlers, Transaction tx, GetCapability request) {
        require(
                tx.volatiles().selfTest() != SelfTest.FAILED || answersInFailureMode(request),
                ReturnCode.FAILEDSELFTEST);
        return new Capability(
                switch (request.capArea()) {
                    case CAP_ORD -> bool(handlers.supports(request.number(4)));
                    case CAP_ALG -> isOneOf(request.number(4), Algorithm.RSA);
                    case CAP_PID -> isOneOf(request.number(2), PROTOCOLS);
                    case CAP_FLAG -> flags(tx, request.number(4));
                    case CAP_PROPERTY -> property(tx, request.number(4));
                    case CAP_VERSION -> encode(Identification.StructVer.class, Identification.structVer());
                    case CAP_KEY_HANDLE -> handles(keyHandles(tx));
                    case CAP_CHECK_LOADED -> bool(checkLoaded(tx, request.subCap()));
                    case CAP_SYM_MODE -> isOneOf(request.number(4), NONE);
                    case CAP_KEY_STATUS -> bool(keyStatus(tx, request.number(4)));
                    case CAP_NV_LIST -> nvList(tx);
                    case CAP_NV_INDEX -> encode(NvDataPublic.class, nvIndex(tx, request.number(4)));
                    case CAP_TRANS_ALG -> isOneOf(request.number(4), Algorithm.AES128, Algorithm.MGF1);
                    case CAP_HANDLE -> handles(tx, request.number(4));
                    case CAP_TRANS_ES -> isOneOf(request.number(2), Algorithm.ES_SYM_CTR, Algorithm.ES_SYM_OFB);
                    case CAP_AUTH_ENCRYPT -> isOneOf(request.number(4), Algorithm.AES128, Algorithm.XOR);
                    case CAP_SELECT_SIZE -> bool(selectSize(request.subCap()));
                    case CAP_DA_LOGIC -> dictionaryAttack(tx);
                    case CAP_VERSION_VAL -> encode(Identification.CapVersionInfo.class, Identification.versionInfo());
                    // This vendor has defined no CAP_MFR: it is as unknown as any other number.
                    default -> throw new TpmException(ReturnCode.BAD_MODE);
                });
    }

    private static boolean answersInFailureMode(GetCapability request) {
        return switch (request.capArea()) {
            case CAP_VERSION, CAP_VERSION_VAL, CAP_MFR -> true;
            case CAP_PROPERTY ->
                switch (request.number(4)) {
                    case Properties.MANUFACTURER, Properties.DURATION, Properties.TIS_TIMEOUT -> true;
                    default -> false;
                };
            default -> false;
        };
    }

    private static byte[] flags(Transaction tx, int structure) {
        return switch (structure) {
            case FLAG_PERMANENT -> tx.permanent().flags().toStructure();
            case FLAG_VOLATILE -> tx.stClear().flags().toStructure();
            default -> throw new TpmException(ReturnCode.BAD_MODE);
        };
    }

    private static byte[] property(Transaction tx, int number) {
        byte[] value = Properties.get(tx, number);
        if (value == null) {
            throw new TpmException(ReturnCode.BAD_MODE);
        }
        return value;
    }

    /** Whether a key of this kind could be loaded now. */
    private static boolean checkLoaded(Transaction tx, byte[] subCap) {
        try {
            KeyParms parms = Codec.of(KeyParms.class).read(new ByteReader(subCap));
            return parms.algorithmId() == Algorithm.RSA && Keys.freeSlots(tx) > 0;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        }
    }

    private static IntStream keyHandles(Transaction tx) {
        return Keys.all(tx).mapToInt(LoadedKey::handle);
    }

    /** Whether only the owner can evict a key. */
    private static boolean keyStatus(Transaction tx, int handle) {
        LoadedKey key = Keys.inSlot(tx, handle);
        return Keys.evictKeys(tx).contains(key);
    }

    private static byte[] nvList(Transaction tx) {
        int[] indices = tx.permanent().nvAreas().stream()
                .mapToInt(area -> area.pub().nvIndex())
                .toArray();
        return encode(NvList.class, new NvList(indices));
    }

    /** The public part of an NV area, with the locks as they are now. */
    private static NvDataPublic nvIndex(Transaction tx, int index) {
        NvArea area = tx.permanent().nvArea(index);
        if (area == null) {
            throw new TpmException(ReturnCode.BADINDEX);
        }
        NvDataPublic pub = area.pub();
        NvLocks locks = tx.stClear().nvLocks(index);
        return new NvDataPublic(
                pub.nvIndex(),
                pub.pcrInfoRead(),
                pub.pcrInfoWrite(),
                pub.permission(),
                locks.read(),
                locks.write(),
                pub.writeDefine(),
                pub.dataSize());
    }

    private static byte[] handles(Transaction tx, int resourceType) {
        return switch (resourceType) {
            case ResourceType.AUTH -> handles(tx.stClear().sessions().stream().mapToInt(Session::handle));
            case ResourceType.KEY -> handles(keyHandles(tx));
            case ResourceType.COUNTER ->
                handles(tx.permanent().counters().all().stream()
                        .mapToInt(Counter::countId)
                        .sorted());
            case ResourceType.DAA -> handles(tx.stClear().daaSessions().stream().mapToInt(DaaSession::handle));
            case ResourceType.CONTEXT ->
                handles(IntStream.of(tx.stClear().contexts().list()));
            case ResourceType.TRANSPORT ->
                handles(tx.stClear().transports().stream().mapToInt(TransportSession::handle));
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
    }

    private static byte[] handles(IntStream handles) {
        return encode(HandleList.class, new HandleList(handles.toArray()));
    }

    private static boolean selectSize(byte[] subCap) {
        try {
            SelectSize size = Codec.of(SelectSize.class).read(new ByteReader(subCap));
            return size.reqSize() >= 1 && size.reqSize() <= PcrSelection.MAX_BYTES;
        } catch (CodecException e) {
            throw new TpmException(ReturnCode.BAD_PARAM_SIZE);
        }
    }

    /** The lockout is one for all entities, so that the entity type that was asked for makes no difference. */
    private static byte[] dictionaryAttack(Transaction tx) {
        Lockout lockout = tx.stClear().lockout();
        long remaining = lockout.remainingNanos(tx.environment().nanoClock().getAsLong());
        int active = remaining > 0 ? 1 : 0;
        if (tx.is(PermanentFlags.Flag.DISABLE_FULL_DA_LOGIC_INFO)) {
            return encode(DaInfoLimited.class, new DaInfoLimited(active, DaActionType.TIMEOUT, new byte[0]));
        }
        int count = Math.min(lockout.failures(), 0xFFFF);
        int seconds = (int) TimeUnit.NANOSECONDS.toSeconds(remaining + TimeUnit.SECONDS.toNanos(1) - 1);
        return encode(
                DaInfo.class, new DaInfo(active, count, Lockout.THRESHOLD, DaActionType.TIMEOUT, seconds, new byte[0]));
    }

    private static Record getCapabilityOwner(Transaction tx, NoParameters request) {
        tx.authorizations().verifyOwner();
        return new OwnerCapability(
                Identification.version(),
                tx.permanent().flags().bits(),
                tx.stClear().flags().bits());
    }

    private static byte[] isOneOf(int value, int... supported) {
        return bool(IntStream.of(supported).anyMatch(each -> each == value));
    }

    private static byte[] bool(boolean value) {
        return Properties.bool(value);
    }

    private static <T> byte[] encode(Class<T> type, T value) {
        return Codec.of(type).encode(value);
    }
}
