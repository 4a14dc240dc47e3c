package org.vtpm.api.storage;

/** What opens a bundle. */
public enum BundleLock {
    /** A pass phrase. */
    PASSPHRASE,
    /** The key of one host, which its storage holds. */
    HOST
}
