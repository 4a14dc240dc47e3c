package org.vtpm.api.storage;

import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Keeps keys for TPMs that run elsewhere and keep their own state, encrypted: without its key here it is worth nothing. Keys
 * are sealed, made durable and protected against older copies as instances' state is, but are no instances. Thread-safe.
 */
public interface KeyVault {
    /** Longest key in bytes. */
    int LONGEST = 64;

    /** The UUIDs of the TPMs that have a key here. */
    Set<UUID> owners();

    /**
     * Opens a TPM's key.
     *
     * @return the key, which the caller zeroes; empty if it never stored one
     * @throws StateException if it is there but cannot be opened, or may be older than what was stored last
     */
    Optional<byte[]> load(UUID owner) throws StateException;

    /**
     * Stores a TPM's key, in place of the one before; durable when this returns.
     *
     * @param key 1 to {@value #LONGEST} bytes; stays the caller's
     * @throws StateException if the UUID is that of an instance, or the key could not be stored: then the one before is kept
     */
    void store(UUID owner, byte[] key) throws StateException;

    /**
     * Deletes a TPM's key for good, and with it that TPM.
     *
     * @throws StateException if there is none, or it could not be deleted
     */
    void delete(UUID owner) throws StateException;
}
