package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.sha1;

import java.nio.charset.StandardCharsets;

/** What both TPMs are set up with. */
final class Secrets {
    /** An NV area that anybody reads and writes while NV is not locked. */
    static final int OPEN_AREA = 0x1101;
    /** An NV area of the owner's. */
    static final int OWNER_AREA = 0x1102;
    /** An NV area with a secret of its own. */
    static final int AUTH_AREA = 0x1103;
    /** An index where nothing is defined. */
    static final int FREE_INDEX = 0x1105;

    static final int AREA_SIZE = 16;

    private Secrets() {}

    static byte[] owner() {
        return secret("owner");
    }

    static byte[] srk() {
        return new byte[20];
    }

    static byte[] operator() {
        return secret("operator");
    }

    static byte[] area() {
        return secret("area");
    }

    /** Of every key of the stock that has one. */
    static byte[] key() {
        return secret("key");
    }

    static byte[] migration() {
        return secret("migration");
    }

    static byte[] data() {
        return secret("data");
    }

    static byte[] counter() {
        return secret("counter");
    }

    static byte[] delegate() {
        return secret("delegate");
    }

    static byte[] transport() {
        return secret("transport");
    }

    private static byte[] secret(String name) {
        return sha1(name.getBytes(StandardCharsets.UTF_8));
    }
}
