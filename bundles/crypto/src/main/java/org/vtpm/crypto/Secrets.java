package org.vtpm.crypto;

import java.security.MessageDigest;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What every holder of a secret does with it: compare it without telling where it differs, and zero it after use. */
public final class Secrets {
    private Secrets() {}

    /** Whether two values are the same; the time taken depends on their lengths only. */
    public static boolean equal(byte[] a, byte[] b) {
        return MessageDigest.isEqual(a, b);
    }

    /** Overwrites the arrays; null stands for a secret that never came to be and is skipped. */
    public static void zero(byte @Nullable [] @Nullable ... secrets) {
        if (secrets == null) {
            return;
        }
        for (byte[] secret : secrets) {
            if (secret != null) {
                Arrays.fill(secret, (byte) 0);
            }
        }
    }
}
