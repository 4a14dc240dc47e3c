package org.vtpm.api.storage;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;

/**
 * Keeps every instance's record and sealed state. What a method stored is durable when it returns; what it could not store
 * is as it was before. Reading never changes anything on disk, whatever it finds. Methods are thread-safe; calls for
 * different instances do not wait for each other.
 */
public interface StateStore {
    /**
     * All instances there are, also those whose state cannot be opened.
     *
     * @throws StateException if the storage as a whole cannot be read
     */
    List<InstanceRecord> instances() throws StateException;

    /**
     * Adds an instance with its first state.
     *
     * @throws StateException if it exists, or could not be stored
     */
    void create(InstanceRecord record, Map<StateKind, byte[]> state) throws StateException;

    /**
     * Replaces an instance's record.
     *
     * @throws StateException if the instance does not exist, or the record could not be stored
     */
    void update(InstanceRecord record) throws StateException;

    /**
     * Opens an instance's state.
     *
     * @return the parts there are; the caller zeroes them
     * @throws StateException if any part is missing that should be there, damaged, truncated or of another instance
     */
    Map<StateKind, byte[]> load(UUID instance) throws StateException;

    /**
     * Replaces parts of an instance's state, all or none of them; an empty array erases a part.
     *
     * @throws StateException if the state could not be made durable
     */
    void save(UUID instance, Map<StateKind, byte[]> changes) throws StateException;

    /**
     * Deletes an instance with all its state, for good.
     *
     * @throws StateException if it could not be deleted
     */
    void delete(UUID instance) throws StateException;

    /** State that was put by, oldest first. */
    List<StateSnapshot> snapshots(UUID instance) throws StateException;

    /**
     * Puts an instance's permanent and saved state by under a name.
     *
     * @param name 1 to 64 letters, digits, dots, dashes and underscores
     * @throws StateException if the name is taken or unfit, or it cannot be stored
     */
    void takeSnapshot(UUID instance, String name) throws StateException;

    /**
     * Replaces an instance's state by state that was put by. A snapshot of a suspended instance is given up.
     *
     * @throws StateException if there is no state of that name, or it cannot be stored
     */
    void restoreSnapshot(UUID instance, String name) throws StateException;

    /**
     * Forgets state that was put by.
     *
     * @throws StateException if there is none of that name, or this cannot be stored
     */
    void dropSnapshot(UUID instance, String name) throws StateException;

    /**
     * Seals an instance's record, permanent and saved state for somebody else. Nothing changes here.
     *
     * @return a bundle of at most {@link InstanceBundle#LONGEST} bytes, for a file
     * @throws StateException if the state cannot be opened, or the recipient's key or pass phrase is unfit
     */
    byte[] export(UUID instance, BundleRecipient recipient) throws StateException;

    /**
     * Tells whether a file is a bundle, and what opens it.
     *
     * @return empty if it is something else
     * @throws StateException if it is a bundle that is damaged, or of a version that this program does not read
     */
    Optional<BundleLock> bundleLock(byte[] file) throws StateException;

    /**
     * Opens a bundle. Nothing is stored.
     *
     * @param passphrase what opens it; null if it is for this host
     * @throws StateException if it is damaged, made for somebody else, or the pass phrase is wrong
     */
    InstanceBundle openBundle(byte[] bundle, byte @Nullable [] passphrase) throws StateException;
}
