package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.tpm12.structure.AuthDataUsage;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Finding keys by handle and having their use authorised. A command with one key and at most one block says {@link
 * #use}; others look their keys up first, then authorise block by block.
 */
final class Keys {
    private Keys() {}

    /** Finds, checks and authorises the key of a command that takes no other authorisation. */
    static LoadedKey use(Transaction tx, int handle) {
        LoadedKey key = usable(tx, handle);
        authorize(tx, key);
        return key;
    }

    /** Has the use of a key authorised by the first block, or by there being none for a key that needs none. */
    static void authorize(Transaction tx, LoadedKey key) {
        if (tx.authorizations().count() == 0) {
            requireNoAuthorization(key);
        } else {
            tx.authorizations().verify(0, key);
        }
    }

    /**
     * {@link #use} of a parent: a key that encrypts other keys and sealed data.
     *
     * @throws TpmException with INVALID_KEYUSAGE if it is of another usage
     */
    static LoadedKey useParent(Transaction tx, int handle) {
        LoadedKey key = use(tx, handle);
        requireUsage(key, KeyUsage.STORAGE);
        return key;
    }

    /** The key with this handle, whether or not it may be used now. */
    static LoadedKey find(Transaction tx, int handle) {
        Owner owner = tx.permanent().owner();
        if (handle == Handles.SRK) {
            if (owner == null) {
                throw new TpmException(ReturnCode.KEYNOTFOUND);
            }
            return owner.srk();
        }
        require(handle != Handles.EK, ReturnCode.KEYNOTFOUND);
        require(!Handles.namesNoKey(handle), ReturnCode.INVALID_RESOURCE);
        return inSlot(tx, handle);
    }

    /** The key in a slot: not the storage root key, which needs none. */
    static LoadedKey inSlot(Transaction tx, int handle) {
        return all(tx).filter(key -> key.handle() == handle)
                .findFirst()
                .orElseThrow(() -> new TpmException(ReturnCode.INVALID_KEYHANDLE));
    }

    /** The key with this handle, if the PCRs and the locality allow its use. */
    static LoadedKey usable(Transaction tx, int handle) {
        LoadedKey key = find(tx, handle);
        requireRelease(tx, key);
        return key;
    }

    /** The key with this handle, if the PCRs and the locality allow to read its public part. */
    static LoadedKey readable(Transaction tx, int handle) {
        LoadedKey key = find(tx, handle);
        if (!key.key().is(KeyFlag.PCR_IGNORED_ON_READ)) {
            requireRelease(tx, key);
        }
        return key;
    }

    /** Refuses a use without authorisation of a key that needs one. */
    static void requireNoAuthorization(LoadedKey key) {
        require(key.key().authDataUsage() == AuthDataUsage.NEVER, ReturnCode.AUTHFAIL);
    }

    /** Refuses to read the public part of a key without authorisation if the key needs one even for that. */
    static void requireNoReadAuthorization(LoadedKey key) {
        require(
                key.key().authDataUsage() == AuthDataUsage.NEVER
                        || key.key().authDataUsage() == AuthDataUsage.NO_READ_PUBKEY_AUTH,
                ReturnCode.AUTHFAIL);
    }

    /** Refuses a key of none of these usages. */
    static void requireUsage(LoadedKey key, int... usages) {
        require(IntStream.of(usages).anyMatch(usage -> usage == key.key().keyUsage()), ReturnCode.INVALID_KEYUSAGE);
    }

    /** All loaded keys, in the order in which they were loaded. */
    static Stream<LoadedKey> all(Transaction tx) {
        return Stream.concat(evictKeys(tx).stream(), tx.stClear().keys().stream());
    }

    /** The keys that only the owner can evict. */
    static List<LoadedKey> evictKeys(Transaction tx) {
        Owner owner = tx.permanent().owner();
        return owner == null ? List.of() : owner.evictKeys();
    }

    /** What marks things as made by this TPM for its owner; not a copy. */
    static byte[] tpmProof(Transaction tx) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        return owner.tpmProof();
    }

    /** Key slots that are free. */
    static int freeSlots(Transaction tx) {
        return StClearState.MAX_KEYS - (int) all(tx).count();
    }

    /** A handle that no key has. */
    static int freeHandle(Transaction tx) {
        while (true) {
            int handle = (ResourceType.KEY << 24) | tx.environment().random().nextInt(1 << 24);
            if (all(tx).noneMatch(key -> key.handle() == handle)) {
                return handle;
            }
        }
    }

    /**
     * Puts a key into a free slot.
     *
     * @throws TpmException with NOSPACE if there is none
     */
    static void load(Transaction tx, LoadedKey key) {
        require(freeSlots(tx) > 0, ReturnCode.NOSPACE);
        tx.stClear(tx.stClear()
                .withKeys(Stream.concat(tx.stClear().keys().stream(), Stream.of(key))
                        .toList()));
    }

    /**
     * Empties the slot of a key and ends the sessions that are bound to it.
     *
     * @throws TpmException with KEY_OWNER_CONTROL if only the owner can do that
     */
    static void evict(Transaction tx, LoadedKey key) {
        require(evictKeys(tx).stream().noneMatch(each -> each.handle() == key.handle()), ReturnCode.KEY_OWNER_CONTROL);
        tx.stClear(tx.stClear()
                .withKeys(tx.stClear().keys().stream()
                        .filter(each -> each.handle() != key.handle())
                        .toList())
                .withoutSessions(session ->
                        session.protocol() != Session.OIAP && session.entity().equals(key.entity())));
    }

    /** Checks the PCRs and the locality that a key is bound to (TPM Main Part 3, section 29.1). */
    private static void requireRelease(Transaction tx, LoadedKey key) {
        PcrInfoShort release = key.key().release();
        if (release != null) {
            PcrConditions.requirePcrs(tx, release);
            PcrConditions.requireLocality(tx, release);
        }
    }
}
