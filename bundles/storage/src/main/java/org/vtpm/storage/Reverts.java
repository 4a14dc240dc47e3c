package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.security.spec.InvalidKeySpecException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.storage.StateException;
import org.vtpm.crypto.VerificationKey;
import org.vtpm.storage.journal.Change;
import org.vtpm.storage.journal.Item;

/** Lets instances that were found old go on, one at a time, if the operator signed for it. */
final class Reverts {
    private static final Logger LOG = LoggerFactory.getLogger(Reverts.class);

    private final Owners owners;
    private final KeyedJournal journal;
    private final Refusals refusals;
    private final ReplayGuard guard;

    Reverts(Owners owners, KeyedJournal journal, Refusals refusals, ReplayGuard guard) {
        this.owners = owners;
        this.journal = journal;
        this.refusals = refusals;
        this.guard = guard;
    }

    /** What the operator's key has to sign to let an instance go on with old state. */
    byte[] token(UUID instance) throws StateException {
        return owners.on(instance, () -> {
            String reason = refusals.reason(instance)
                    .orElseThrow(() ->
                            new StateException("Instance " + instance + " is not kept closed: nothing is to sign"));
            Item state = journal.find(ItemKind.PERMANENT.of(instance))
                    .orElseThrow(() -> new StateException("Instance " + instance + " has no state"));
            return ("vtpm revert 1\ninstance " + instance + "\nstate " + state.version() + " "
                            + HexFormat.of().formatHex(state.digest()) + "\nfound " + reason + "\n")
                    .getBytes(UTF_8);
        });
    }

    /** Lets an instance go on with old state, if the operator signed that. */
    void revert(UUID instance, byte[] signature) throws StateException {
        byte[] token = token(instance);
        owners.on(instance, () -> {
            byte[] key = journal.ring().operatorKey();
            if (key.length == 0) {
                throw new StateException("No operator's key was set for this storage, so that nobody can sign");
            }
            if (!operatorKey(key).verifies(token, signature)) {
                throw new StateException(
                        "Instance " + instance + ": the signature is not the operator's over the token as it is now");
            }
            Optional<Change> unmark =
                    journal.find(ItemKind.REPLAYED.of(instance)).map(KeyedJournal::remove);
            // Before the commit, which would mark it otherwise.
            refusals.remove(instance);
            try {
                journal.commit(unmark.map(List::of).orElse(List.of()));
            } catch (IOException e) {
                refusals.addMarked(instance, new String(token, UTF_8));
                throw e;
            }
            LOG.warn("Instance {} goes on with old state, as the operator signed", instance);
        });
        guard.anchorSoon();
    }

    private static VerificationKey operatorKey(byte[] key) throws IOException {
        try {
            return VerificationKey.ofSubjectPublicKeyInfo(key);
        } catch (InvalidKeySpecException e) {
            throw new IOException("the operator's key cannot be used: " + e.getMessage(), e);
        }
    }
}
