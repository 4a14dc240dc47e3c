package org.vtpm.api.manager;

import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.BundleRecipient;
import org.vtpm.api.storage.InstanceBundle;
import org.vtpm.api.storage.StateSnapshot;

/**
 * The host's vTPM manager: owns every instance, its life cycle and its routing. All methods are thread-safe; those that
 * change an instance return when the change is complete and durable.
 */
public interface VtpmManager {
    /**
     * Creates an instance, and starts it if it has endpoints.
     *
     * @throws VtpmException if the name or UUID is taken or unfit, an endpoint cannot be served, its endorsement key gets no
     *     certificate that it should have, or it cannot be stored;
     *     then there is no such instance
     */
    InstanceInfo create(NewInstance order) throws VtpmException;

    /**
     * Creates an instance whose TPM is one that another program kept, and starts it if it has endpoints. It starts as after a
     * loss of power. That the other program uses its copy no more is the operator's duty.
     *
     * @param order what it says of an endorsement key is not looked at
     * @throws VtpmException if the state is damaged or does not open, or as for {@link #create}; then there is no such instance
     */
    ImportedInstance importInstance(NewInstance order, ForeignState state) throws VtpmException;

    /**
     * Seals an instance for another host or a pass phrase: its record, and what is durable of its state now, as in {@link
     * #takeStateSnapshot}. The instance goes on here, and that only one of the two is used is the operator's duty.
     *
     * @return a bundle for {@link #importBundle}, of at most {@link InstanceBundle#LONGEST} bytes
     * @throws VtpmException if there is no such instance, it has failed, its state is refused or cannot be read, or the
     *     recipient's key or pass phrase is unfit
     */
    byte[] exportInstance(UUID instance, BundleRecipient recipient) throws VtpmException;

    /**
     * Tells whether a file is a bundle, and what opens it.
     *
     * @return empty if it is something else
     * @throws VtpmException if it is a bundle that is damaged, or of a version that this program does not read
     */
    Optional<BundleLock> bundleLock(byte[] file) throws VtpmException;

    /**
     * Creates an instance from a bundle, and starts it if it is ordered to have endpoints. It starts as after a loss of power.
     *
     * @param order what shall be otherwise than in the bundle
     * @param passphrase what opens the bundle; null if it is for this host
     * @throws VtpmException if the bundle is damaged or does not open, the name or UUID is taken, an endpoint cannot be served,
     *     no engine here takes the state, or it cannot be stored; then there is no such instance
     */
    ImportedInstance importBundle(BundleOrder order, byte[] bundle, byte @Nullable [] passphrase) throws VtpmException;

    /** All instances, by name. */
    List<InstanceInfo> instances();

    /** An instance by its UUID. */
    Optional<InstanceInfo> find(UUID instance);

    /** An instance by its name, or its UUID in text form. */
    Optional<InstanceInfo> find(String nameOrUuid);

    /**
     * Powers an instance on. Does nothing if it runs. One that is suspended has to be resumed, or its snapshot discarded.
     *
     * @param startup what to do instead of what the instance's record says, or null
     * @throws VtpmException if it cannot be started; it is then {@link InstanceState#FAILED} with the reason
     */
    InstanceInfo start(UUID instance, @Nullable StartupMode startup) throws VtpmException;

    /**
     * Powers an instance off after the command it is running. Does nothing if it is stopped; a failed instance becomes
     * stopped.
     *
     * @throws VtpmException if there is no such instance, it is suspended, or its record cannot be stored
     */
    InstanceInfo stop(UUID instance) throws VtpmException;

    /**
     * Takes a snapshot of an instance after the command it is running, stores it and ends the engine. Does nothing if it is
     * suspended.
     *
     * @throws VtpmException if it does not run, or the snapshot cannot be taken or stored; it runs on if its engine can
     */
    InstanceInfo suspend(UUID instance) throws VtpmException;

    /**
     * Lets a suspended instance go on where it was. The snapshot is used up, durably, before the guest is served. Does
     * nothing if the instance runs.
     *
     * @throws VtpmException if it is not suspended, or cannot go on; if the snapshot cannot be used, it is {@link
     *     InstanceState#FAILED} with the reason and the snapshot as it was
     */
    InstanceInfo resume(UUID instance) throws VtpmException;

    /**
     * Gives up what a suspended instance was doing, as a loss of power would: it is stopped then. Also for one that cannot be
     * resumed. Does nothing if it is not suspended.
     *
     * @throws VtpmException if there is no such instance, or this cannot be stored
     */
    InstanceInfo discard(UUID instance) throws VtpmException;

    /**
     * Deletes an instance and its state for good.
     *
     * @param force also when it runs or is suspended
     * @throws VtpmException if it runs or is suspended and force is false, or it cannot be deleted
     */
    void delete(UUID instance, boolean force) throws VtpmException;

    /**
     * Adds an endpoint, and serves it at once if the instance runs.
     *
     * @throws VtpmException if no listener serves its scheme, the address is unfit or in use
     */
    InstanceInfo attach(UUID instance, URI endpoint) throws VtpmException;

    /**
     * Removes an endpoint and drops its guests.
     *
     * @throws VtpmException if the instance has no such endpoint
     */
    InstanceInfo detach(UUID instance, URI endpoint) throws VtpmException;

    /**
     * Moves an instance to another transport, between two commands.
     *
     * @param transport name of a transport, or null for the host's default
     * @throws VtpmException if there is no such transport, or it cannot carry this instance
     */
    InstanceInfo useTransport(UUID instance, @Nullable String transport) throws VtpmException;

    /**
     * State of an instance that was put by, oldest first.
     *
     * @throws VtpmException if there is no such instance, or this cannot be read
     */
    List<StateSnapshot> stateSnapshots(UUID instance) throws VtpmException;

    /**
     * Puts by what is durable of an instance's state, also while it runs: what a loss of power would leave of it now. What a
     * suspended one was doing is not in it.
     *
     * @param name 1 to 64 letters, digits, dots, dashes and underscores
     * @throws VtpmException if there is no such instance, the name is taken or unfit, or it cannot be stored
     */
    void takeStateSnapshot(UUID instance, String name) throws VtpmException;

    /**
     * Takes an instance back to state that was put by; all that its TPM kept since is lost. It is stopped then.
     *
     * @throws VtpmException if it is neither {@link InstanceState#STOPPED} nor {@link InstanceState#FAILED}, there is no state
     *     of that name, or it cannot be stored
     */
    InstanceInfo restoreStateSnapshot(UUID instance, String name) throws VtpmException;

    /**
     * Forgets state that was put by.
     *
     * @throws VtpmException if there is no such instance, no state of that name, or this cannot be stored
     */
    void dropStateSnapshot(UUID instance, String name) throws VtpmException;

    /**
     * Reads the endorsement of an instance from its stored state, so also when it does not run, or would not tell its guest.
     *
     * @return nothing if it has no endorsement key
     * @throws VtpmException if there is no such instance, or its state cannot be read
     */
    Optional<EndorsementInfo> endorsement(UUID instance) throws VtpmException;

    /**
     * The certification authority for endorsement keys. It is made if it was not needed before.
     *
     * @throws VtpmException if there is none, or it cannot be used
     */
    AuthorityInfo authority() throws VtpmException;
}
