package org.vtpm.itests.root20;

import java.time.Duration;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.TpmPlace;
import org.vtpm.root.tpm20.Tpm20Root;

/** Makes roots of trust as their component does. */
final class Roots {
    static final int FIRST_COUNTER = 0x01800100;

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private Roots() {}

    static RootOfTrust at(String place) {
        return at(place, PATIENCE);
    }

    static RootOfTrust at(String place, Duration timeout) {
        return new Tpm20Root("tpm20", new HostTpm(TpmPlace.parse(place), timeout), FIRST_COUNTER);
    }
}
