package org.vtpm.hosttpm;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * The TPM at one place. {@link #open} makes a connection for one sequence of commands: it is exclusive within this object,
 * so that nobody else's commands come in between, and is closed after the sequence. So the kernel's resource manager, if there
 * is one, frees what the sequence left behind, others get their turn at a TPM that serves one connection at a time, and a TPM
 * that went away and came back is found again. Thread-safe.
 */
public final class HostTpm {
    private final TpmPlace place;
    private final Duration timeout;
    private final Semaphore turn = new Semaphore(1, true);

    /**
     * Makes no connection yet.
     *
     * @param timeout for the opening of a connection, and for each response; making a key can take a TPM half a minute
     */
    public HostTpm(TpmPlace place, Duration timeout) {
        this.place = place;
        this.timeout = timeout;
    }

    /** Where it is. */
    public TpmPlace place() {
        return place;
    }

    /**
     * Waits for its turn and opens a connection.
     *
     * @throws HostTpmException if the TPM is not there, or its device stays busy until the time is up
     */
    public TpmConnection open() throws HostTpmException {
        turn.acquireUninterruptibly();
        TpmConnection connection = null;
        try {
            connection = TpmConnection.open(place, timeout, turn::release);
            return connection;
        } finally {
            if (connection == null) {
                turn.release();
            }
        }
    }

    /** What seems to be wrong with the place, as far as can be told without a connection; for a line in the log. */
    public Optional<String> trouble() {
        if (place instanceof TpmPlace.Device device) {
            return ofFile(device.path());
        }
        if (place instanceof TpmPlace.Unix unix) {
            return ofFile(unix.path());
        }
        TpmPlace.Tcp tcp = (TpmPlace.Tcp) place;
        try {
            return InetAddress.getByName(tcp.host()).isLoopbackAddress()
                    ? Optional.empty()
                    : Optional.of(place + " is on another host: such a TPM says nothing about the state of this one");
        } catch (UnknownHostException e) {
            return Optional.of(place + ": there is no host of this name");
        }
    }

    private Optional<String> ofFile(Path path) {
        if (!Files.exists(path)) {
            return Optional.of(Advice.missing(place));
        }
        return Files.isReadable(path) && Files.isWritable(path) ? Optional.empty() : Optional.of(Advice.denied(place));
    }
}
