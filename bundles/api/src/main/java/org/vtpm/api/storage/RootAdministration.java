package org.vtpm.api.storage;

import java.util.List;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.SealingTerms;

/**
 * Who opens the host's secret, and when: what an operator does with roots of trust. Registered by the storage as long as its
 * bundle runs, also while the storage is closed because no root opens it. Methods are thread-safe; they take as long as the
 * hardware does.
 */
public interface RootAdministration {
    /** All roots of trust that are there or enrolled, best first. */
    List<RootStatus> roots();

    /**
     * Has the host's secret sealed by a root of trust, beside those that hold it already; one that is enrolled seals anew, on
     * the new terms, and keeps the old seal until the new one opens. If it has counters and the storage is not anchored yet, a counter is made for that.
     *
     * @throws StateException if there is no such root, it does not seal, or none that is enrolled releases the secret to be
     *     sealed; then all is as before
     */
    void enroll(String root, SealingTerms terms) throws StateException;

    /**
     * Seals the host's secret by a root that is enrolled on the terms that it has, as after its TPM was cleared or replaced.
     * A counter that went with the old TPM is replaced by a new one.
     *
     * @param ownerAuth as in {@link SealingTerms}
     * @throws StateException as for {@link #enroll}
     */
    void reseal(String root, byte[] ownerAuth) throws StateException;

    /**
     * Forgets how a root of trust sealed the secret.
     *
     * @throws StateException if it is not enrolled, or nothing would open the storage without it
     */
    void withdraw(String root) throws StateException;

    /**
     * Says what the operator's key has to sign so that a root opens in a state of the host.
     *
     * @param values of PCRs after an update; those in the root's terms that are not here are taken as they are now
     * @throws StateException if the root is not there, not enrolled, or knows no policies
     */
    PolicyDraft draft(String root, List<PcrValue> values) throws StateException;

    /**
     * Adds a policy that the operator signed.
     *
     * @param values those of the draft
     * @throws StateException if the signature is not the operator's, or as for {@link #draft}
     */
    void approve(String root, List<PcrValue> values, byte[] signature) throws StateException;

    /**
     * Makes a new set of recovery keys, in place of one that there may be. They are stored nowhere: who loses them has none.
     *
     * @param quorum how many of the keys open the storage, 1 or more
     * @param count how many keys there are, up to 16
     * @return the keys as text, for the operator; the caller zeroes them
     * @throws StateException if no enrolled root releases the secret, or it cannot be stored
     */
    List<char[]> makeRecoveryKeys(int quorum, int count) throws StateException;

    /**
     * Opens the storage with recovery keys, when no root of trust does. The roots stay as they are: reseal or withdraw them.
     *
     * @param keys as text; they stay the caller's
     * @throws StateException if the storage is open, the keys do not open it, or it cannot be read
     */
    void recover(List<char[]> keys) throws StateException;

    /** How many recovery keys open the storage; 0 if none were made. */
    int recoveryQuorum();
}
