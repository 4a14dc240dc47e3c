package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.vtpm.codec.Codec;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** The owner's control over loaded keys (TPM Main Part 3, section 22.1). */
public final class KeyControlChapter implements Chapter {
    /** TPM_KEY_CONTROL_OWNER_EVICT. */
    private static final int OWNER_EVICT = 1;

    /** Two slots at least have to stay for keys that anyone can evict; here it is half of them. */
    private static final int MAX_EVICT_KEYS = StClearState.MAX_KEYS / 2;

    record KeyControlOwner(int keyHandle, Pubkey pubKey, int bitName, boolean bitValue) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("KeyControlOwner", KeyControlOwner.class, KeyControlChapter::keyControlOwner);
    }

    private static Record keyControlOwner(Transaction tx, KeyControlOwner request) {
        tx.authorizations().verifyOwner();
        LoadedKey key = Keys.inSlot(tx, request.keyHandle());
        Codec<Pubkey> pubkeys = Codec.of(Pubkey.class);
        require(
                Arrays.equals(pubkeys.encode(key.key().publicKey()), pubkeys.encode(request.pubKey())),
                ReturnCode.BAD_PARAMETER);
        require(request.bitName() == OWNER_EVICT, ReturnCode.BAD_MODE);
        boolean controlled = Keys.evictKeys(tx).contains(key);
        if (request.bitValue() && !controlled) {
            control(tx, key);
        } else if (!request.bitValue() && controlled) {
            release(tx, key);
        }
        return NoParameters.NONE;
    }

    private static void control(Transaction tx, LoadedKey key) {
        require(Keys.evictKeys(tx).size() < MAX_EVICT_KEYS, ReturnCode.NOSPACE);
        require(!key.parentPcrStatus() && !key.key().is(KeyFlag.IS_VOLATILE), ReturnCode.BAD_PARAMETER);
        tx.stClear(tx.stClear().withKeys(without(tx.stClear().keys(), key)));
        evictKeys(tx, with(Keys.evictKeys(tx), key));
    }

    private static void release(Transaction tx, LoadedKey key) {
        evictKeys(tx, without(Keys.evictKeys(tx), key));
        tx.stClear(tx.stClear().withKeys(with(tx.stClear().keys(), key)));
    }

    private static void evictKeys(Transaction tx, List<LoadedKey> keys) {
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.NOSRK);
        }
        tx.permanent(tx.permanent().withOwner(owner.withEvictKeys(keys)));
    }

    private static List<LoadedKey> with(List<LoadedKey> keys, LoadedKey key) {
        return Stream.concat(keys.stream(), Stream.of(key)).toList();
    }

    private static List<LoadedKey> without(List<LoadedKey> keys, LoadedKey key) {
        return keys.stream().filter(each -> each.handle() != key.handle()).toList();
    }
}
