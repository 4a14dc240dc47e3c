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

    static final StockKey SIGN = new StockKey("SIGN", SoftKey.of(1, 1024, NO_ENCRYPTION, SIGN_SHA1), 0x10);
    /** One that needs no authorization. */
    static final StockKey SIGN_OPEN = new StockKey("SIGN_OPEN", SoftKey.of(2, 1024, NO_ENCRYPTION, SIGN_SHA1), 0x10);

    static final StockKey SIGN_INFORMATION =
            new StockKey("SIGN_INFORMATION", SoftKey.of(3, 1024, NO_ENCRYPTION, SIGN_INFO), 0x10);
    static final StockKey BIND = new StockKey("BIND", SoftKey.of(4, 1024, OAEP, NO_SIGNATURE), 0x14);
    static final StockKey LEGACY = new StockKey("LEGACY", SoftKey.of(5, 1024, OAEP, SIGN_SHA1), 0x15);
    static final StockKey STORAGE = new StockKey("STORAGE", SoftKey.of(6, 2048, OAEP, NO_SIGNATURE), 0x11);
    static final StockKey MIGRATE = new StockKey("MIGRATE", SoftKey.of(7, 2048, OAEP, NO_SIGNATURE), 0x16);
    /** One whose handle is good for a case: it may be evicted. */
    static final StockKey SPARE = new StockKey("SPARE", SoftKey.of(8, 1024, NO_ENCRYPTION, SIGN_SHA1), 0x10);
    /** One that PCRs lock, but for reading it. */
    static final StockKey BOUND = new StockKey("BOUND", SoftKey.of(10, 1024, NO_ENCRYPTION, SIGN_SHA1), 0x10);
    /** One that cannot leave its TPM. */
    static final StockKey FIXED = new StockKey("FIXED", SIGN.pair, 0x10);

    static final StockKey IDENTITY = new StockKey("IDENTITY", SIGN.pair, 0x12);
    static final StockKey CMK = new StockKey("CMK", SIGN.pair, 0x10);

    static final List<StockKey> FROM_OUTSIDE =
            List.of(SIGN, SIGN_OPEN, SIGN_INFORMATION, BIND, LEGACY, STORAGE, MIGRATE, SPARE, BOUND);

    private final String name;
    private final SoftKey pair;
    private final int usage;

    private StockKey(String name, SoftKey pair, int usage) {
        this.name = name;
        this.pair = pair;
        this.usage = usage;
    }

    /** The key pair, of those that were made outside. */
    SoftKey pair() {
        return pair;
    }

    /** The TPM_KEY below a storage root key, of those that were made outside. */
    byte[] wrapped(BigInteger parent) {
        boolean bound = this == BOUND;
        return pair.wrapped(
                parent,
                usage,
                bound ? PCR_IGNORED_ON_READ : 0,
                this == SIGN_OPEN ? 0 : 1,
                bound ? concat(Structures.pcrSelection(2, 8), sha1(u8(1)), zeros()) : new byte[0]);
    }

    @Override
    public String toString() {
        return name;
    }
}
