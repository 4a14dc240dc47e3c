package org.vtpm.api.engine;

import java.util.Map;
import java.util.Optional;

/**
 * Makes engines of one TPM family. Registered as a service; factories hold no state of their engines. Before a factory's
 * bundle stops, the manager takes a snapshot of each engine in its JVM that the factory opened, closes it, and goes on with
 * the snapshot in an engine of another factory that accepts it.
 */
public interface EngineFactory {
    /** The family of every engine this makes. */
    TpmFamily family();

    /**
     * Manufactures a TPM: the permanent state of a part as it leaves the factory.
     *
     * @param endorsementKey whether it leaves with an endorsement key; making one costs an RSA key generation
     * @return permanent state in the engine's own format, for {@link #open}
     */
    byte[] manufacture(boolean endorsementKey);

    /** What a credential of one of these TPMs says of it. */
    TpmModel model();

    /**
     * Completes the manufacture of a TPM: puts the certificate of its endorsement key where the family's guests look for
     * it.
     *
     * @param permanent what {@link #manufacture} returned; stays as it is
     * @param certificate the DER of an X.509 certificate
     * @return permanent state in the engine's own format, for {@link #open}
     * @throws EngineStateException if the state is none of a new TPM, or the certificate does not fit into it
     */
    byte[] endorse(byte[] permanent, byte[] certificate) throws EngineStateException;

    /**
     * Reads a TPM's endorsement from its state, also where the TPM would not tell its guest.
     *
     * @param permanent the part {@link StateKind#PERMANENT}; stays as it is
     * @return nothing if it has no endorsement key
     * @throws EngineStateException if the state is damaged, of another family, or from a newer version
     */
    Optional<EndorsementInfo> endorsement(byte[] permanent) throws EngineStateException;

    /**
     * Converts the permanent state that another program kept for a TPM of this family, all of it or nothing.
     *
     * @throws EngineStateException if it is damaged, encrypted with another key, or of another family or version than can be
     *     read; the message says what is wrong with it, and where
     */
    ConvertedState convert(ForeignState foreign) throws EngineStateException;

    /**
     * Powers a TPM on with the state it had. It waits for its Startup command, except after a {@link
     * StateKind#VOLATILE} part, which resumes it as it ran.
     *
     * @param state must hold {@link StateKind#PERMANENT}; the arrays are copied
     * @throws EngineStateException if the state is damaged, of another family, or from a newer version, or its volatile part
     *     does not belong to the permanent part
     */
    Engine open(Map<StateKind, byte[]> state) throws EngineStateException;

    /**
     * The family's Startup command, for a host that starts the TPM on behalf of the guest.
     *
     * @throws IllegalArgumentException for {@link StartupMode#NONE}
     */
    byte[] startupCommand(StartupMode mode);
}
