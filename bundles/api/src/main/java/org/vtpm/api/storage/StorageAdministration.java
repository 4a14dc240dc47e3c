package org.vtpm.api.storage;

import java.util.List;
import java.util.UUID;

/** What an operator does with an open storage. Methods are thread-safe; guests go on while they run. */
public interface StorageAdministration {
    /** How the storage is. */
    StorageStatus status();

    /**
     * Checks every record on disk and the hash tree, without opening secrets and without changing anything.
     *
     * @return what is wrong, each with its file, place and instance; empty if all is well
     * @throws StateException if the folder cannot be read at all
     */
    List<String> verify() throws StateException;

    /**
     * Writes what counts into a new journal file, so that what does not count any more takes no room.
     *
     * @throws StateException if it cannot be written; then the old file goes on
     */
    void compact() throws StateException;

    /**
     * Makes new keys of one level, and seals with them what the old ones sealed.
     *
     * @throws StateException if a root of trust that is enrolled is not there, or the disk fails; then the rotation can be
     *     repeated, and all opens meanwhile
     */
    void rotate(KeyLevel level) throws StateException;

    /** The keys of the storage, from the root of trust down. */
    enum KeyLevel {
        /** The host's secret, which roots of trust and recovery keys hold. */
        HOST,
        /** The key that wraps the instances' data keys. */
        WRAPPING,
        /** The data key of each instance. */
        DATA
    }

    /** What becomes of instances whose state is found to be older than the hardware counter says. */
    enum ReplayPolicy {
        /** They stay closed until the operator signs for each. */
        STRICT,
        /** They start, and the log says so. */
        AUDIT
    }

    /**
     * Sets what becomes of old state from the next opening on.
     *
     * @throws StateException if it cannot be stored
     */
    void replayPolicy(ReplayPolicy policy) throws StateException;

    /**
     * Sets the key that signs for old state, a DER SubjectPublicKeyInfo of an RSA key of 2048 bits or more or an EC key on P-256.
     *
     * @throws StateException if it is none of these, or cannot be stored
     */
    void operatorKey(byte[] key) throws StateException;

    /**
     * What the operator's key has to sign to let one instance go on with old state, once.
     *
     * @throws StateException if the instance's state is not old
     */
    byte[] revertToken(UUID instance) throws StateException;

    /**
     * Lets an instance go on with old state.
     *
     * @param signature over {@link #revertToken}: SHA-256 with RSASSA-PKCS1-v1_5, or ECDSA as DER
     * @throws StateException if the signature is not the operator's, or this cannot be stored
     */
    void revert(UUID instance, byte[] signature) throws StateException;

    /**
     * The public key that bundles for this host are sealed to, a DER SubjectPublicKeyInfo of X25519 (RFC 8410). It is made when
     * it is asked for first, and stays.
     *
     * @throws StateException if it has to be made and cannot be stored
     */
    byte[] hostKey() throws StateException;
}
