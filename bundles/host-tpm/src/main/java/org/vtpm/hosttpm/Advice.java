package org.vtpm.hosttpm;

import java.net.ConnectException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** What operators are told about a TPM that is not reached. */
final class Advice {
    private Advice() {}

    static String missing(TpmPlace place) {
        return "there is no TPM at " + place
                + (place instanceof TpmPlace.Device
                        ? ": switch it on in the host's firmware and load its driver, or configure another place"
                        : ": start what serves this socket, or configure another place");
    }

    static String denied(TpmPlace place) {
        return "this process may not use the TPM at " + place
                + (place instanceof TpmPlace.Device
                        ? ": add its user to the group of the device (tss on Debian), or run it as root"
                        : ": let its user read and write the socket");
    }

    /** About a connection that was not made. */
    static String unreachable(TpmPlace place, Throwable cause) {
        String said = String.valueOf(cause.getMessage());
        // A socket's path that is missing or closed to this user has no exception of its own.
        if (cause instanceof NoSuchFileException || said.contains("No such file")) {
            return missing(place);
        }
        if (cause instanceof AccessDeniedException || said.contains("Permission denied")) {
            return denied(place);
        }
        if (cause instanceof UnresolvedAddressException) {
            return "the TPM at " + place + " cannot be reached: there is no host of this name";
        }
        if (cause instanceof ConnectException) {
            return "the TPM at " + place + " cannot be reached: " + said
                    + ": start what serves this address, or configure another place";
        }
        return "the TPM at " + place + " cannot be reached: " + said;
    }
}
