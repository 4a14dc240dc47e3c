package org.vtpm.storage.journal;

/**
 * What a journal is authenticated with. The arrays are the caller's: the journal copies them, and zeroes its copy when it
 * closes.
 *
 * @param hostKeyId name of the host key, 8 bytes, public: stands at the start of each file
 * @param chainKey derived from the host key for this alone, 32 bytes
 */
public record JournalKey(byte[] hostKeyId, byte[] chainKey) {
    /** Length of {@link #hostKeyId} in bytes. */
    public static final int ID_LENGTH = 8;
    /** Length of {@link #chainKey} in bytes. */
    public static final int KEY_LENGTH = 32;

    public JournalKey {
        if (hostKeyId.length != ID_LENGTH || chainKey.length != KEY_LENGTH) {
            throw new IllegalArgumentException("a journal's key has 32 bytes, and its name 8");
        }
    }

    @Override
    public String toString() {
        return "JournalKey";
    }
}
