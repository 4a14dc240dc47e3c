package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.math.BigInteger;
import java.util.List;
import org.vtpm.itests.tpm12.Structures;

/** Keys that are loaded below the storage root key. All but the last three are the same in both TPMs. */
final class StockKey {
    private static final int OAEP = 3;
    private static final int NO_ENCRYPTION = 1;
    private static final int NO_SIGNATURE = 1;
    private static final int SIGN_SHA1 = 2;
    private static final int SIGN_INFO = 4;
    private static final int PCR_IGNORED_ON_READ = 8;
    private static final String KEY = "01010000";
    private static final String KEY12 = "00280000";
    private static final byte[] ANYWHERE = {};
    private static final byte[] AT_PCR_8 = concat(Structures.pcrSelection(2, 8), sha1(u8(1)), zeros());
    /** At localities 1 and 3. */
    private static final byte[] SOMEWHERE = Structures.pcrInfoLong(Structures.pcrSelection(3), 0x0A, zeros());

    static final StockKey SIGN = new StockKey("SIGN", SoftKey.of(1, 1024, NO_ENCRYPTION, SIGN_SHA1), 0x10);
    /** One that needs no authorization. */
    static final StockKey SIGN_OPEN =
            new StockKey("SIGN_OPEN", SoftKey.of(2, 1024, NO_ENCRYPTION, SIGN_SHA1), KEY, 0x10, 0, 0, ANYWHERE);

    static final StockKey SIGN_INFORMATION =
            new StockKey("SIGN_INFORMATION", SoftKey.of(3, 1024, NO_ENCRYPTION, SIGN_INFO), 0x10);
    static final StockKey BIND = new StockKey("BIND", SoftKey.of(4, 1024, OAEP, NO_SIGNATURE), 0x14);
    static final StockKey LEGACY = new StockKey("LEGACY", SoftKey.of(5, 1024, OAEP, SIGN_SHA1), 0x15);
    static final StockKey STORAGE = new StockKey("STORAGE", SoftKey.of(6, 2048, OAEP, NO_SIGNATURE), 0x11);
    static final StockKey MIGRATE = new StockKey("MIGRATE", SoftKey.of(7, 2048, OAEP, NO_SIGNATURE), 0x16);
    /** One whose handle is good for a case: it may be evicted. */
    static final StockKey SPARE = new StockKey("SPARE", SoftKey.of(8, 1024, NO_ENCRYPTION, SIGN_SHA1), 0x10);
    /** One that PCRs lock, but for reading it. */
    static final StockKey BOUND = new StockKey(
            "BOUND", SoftKey.of(10, 1024, NO_ENCRYPTION, SIGN_SHA1), KEY, 0x10, PCR_IGNORED_ON_READ, 1, AT_PCR_8);
    /** One of a version that has revisions. */
    static final StockKey REVISED = new StockKey("REVISED", SIGN_OPEN.pair, "01010203", 0x10, 0, 1, ANYWHERE);
    /** Ones that localities lock. */
    static final StockKey LOCAL_SIGN =
            new StockKey("LOCAL_SIGN", SoftKey.of(11, 1024, NO_ENCRYPTION, SIGN_SHA1), KEY12, 0x10, 0, 1, SOMEWHERE);

    static final StockKey LOCAL_STORAGE =
            new StockKey("LOCAL_STORAGE", SoftKey.of(12, 2048, OAEP, NO_SIGNATURE), KEY12, 0x11, 0, 1, SOMEWHERE);
    static final StockKey LOCAL_LEGACY =
            new StockKey("LOCAL_LEGACY", SoftKey.of(13, 1024, OAEP, SIGN_SHA1), KEY12, 0x15, 0, 1, SOMEWHERE);
    /** One that localities lock, but for reading it. */
    static final StockKey LOCAL_READABLE =
            new StockKey("LOCAL_READABLE", LOCAL_SIGN.pair, KEY12, 0x10, PCR_IGNORED_ON_READ, 1, SOMEWHERE);
    /** One that cannot leave its TPM. */
    static final StockKey FIXED = new StockKey("FIXED", SIGN.pair, 0x10);

    static final StockKey IDENTITY = new StockKey("IDENTITY", SIGN.pair, 0x12);
    static final StockKey CMK = new StockKey("CMK", SIGN.pair, 0x10);

    static final List<StockKey> FROM_OUTSIDE = List.of(
            SIGN,
            SIGN_OPEN,
            SIGN_INFORMATION,
            BIND,
            LEGACY,
            STORAGE,
            MIGRATE,
            SPARE,
            BOUND,
            REVISED,
            LOCAL_SIGN,
            LOCAL_STORAGE,
            LOCAL_LEGACY,
            LOCAL_READABLE);

    private final String name;
    private final SoftKey pair;
    private final String start;
    private final int usage;
    private final int flags;
    private final int authDataUsage;
    private final byte[] pcrInfo;

    private StockKey(String name, SoftKey pair, int usage) {
        this(name, pair, KEY, usage, 0, 1, ANYWHERE);
    }

    private StockKey(String name, SoftKey pair, String start, int usage, int flags, int authDataUsage, byte[] pcrInfo) {
        this.name = name;
        this.pair = pair;
        this.start = start;
        this.usage = usage;
        this.flags = flags;
        this.authDataUsage = authDataUsage;
        this.pcrInfo = pcrInfo;
    }

    /** The key pair, of those that were made outside. */
    SoftKey pair() {
        return pair;
    }

    /** The TPM_KEY or TPM_KEY12 below a storage root key, of those that were made outside. */
    byte[] wrapped(BigInteger parent) {
        return pair.wrapped(parent, start, usage, flags, authDataUsage, pcrInfo);
    }

    @Override
    public String toString() {
        return name;
    }
}
