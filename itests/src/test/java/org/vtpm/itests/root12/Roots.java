package org.vtpm.itests.root12;

import java.time.Duration;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.TpmPlace;
import org.vtpm.root.tpm12.Tpm12Root;

/** Makes roots of trust as their component does. */
final class Roots {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private Roots() {}

    static RootOfTrust at(String place) {
        return at(place, PATIENCE);
    }

    static RootOfTrust at(String place, Duration timeout) {
        return at(place, timeout, "");
    }

    /** @param srkAuth file with the storage root key's secret; empty for the well-known one */
    static RootOfTrust at(String place, Duration timeout, String srkAuth) {
        return new Tpm12Root("tpm12", new HostTpm(TpmPlace.parse(place), timeout), srkAuth, "GetRandom, PCRRead");
    }
}
