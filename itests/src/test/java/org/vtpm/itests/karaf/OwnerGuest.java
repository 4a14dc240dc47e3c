package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.security.SecureRandom;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * A guest whose TPM gets a new owner and loses it, over and over: RSA decryption and the making of a key with each, and a
 * power cycle, without which a cleared TPM stays deactivated.
 */
final class OwnerGuest {
    /** What a power cycle is for this guest. */
    @FunctionalInterface
    interface PowerCycle {
        void run() throws Exception;
    }

    private static final byte[] OWNER = sha1(new byte[] {4, 5, 6});

    private final SecureRandom random = new SecureRandom();
    private final Traffic traffic;
    private final int port;
    private final PowerCycle powerCycle;
    private boolean byForce;

    OwnerGuest(int port, Traffic traffic, PowerCycle powerCycle) {
        this.port = port;
        this.traffic = traffic;
        this.powerCycle = powerCycle;
    }

    /** One owner's time. It starts and ends without an owner. */
    void own() throws Exception {
        try (Tpm12Client tpm = new Tpm12Client(traffic.count(SocketTpm.tcp(port)), random)) {
            tpm.takeOwnership(OWNER, zeros()).orFail();
            tpm.execute(Ordinal.OWNER_READ_INTERNAL_PUB, u32(Structures.SRK), Auth.once(tpm.oiap(), OWNER))
                    .orFail();
            assertThat(Guests.owned(tpm)).isTrue();
            clear(tpm);
            tpm.execute(Ordinal.PHYSICAL_ENABLE, new byte[0]).orFail();
            tpm.execute(Ordinal.PHYSICAL_SET_DEACTIVATED, u8(0)).orFail();
        }
        powerCycle.run();
    }

    private void clear(Tpm12Client tpm) throws Exception {
        tpm.assertPresence();
        if (byForce) {
            tpm.execute(Ordinal.FORCE_CLEAR, new byte[0]).orFail();
        } else {
            tpm.execute(Ordinal.OWNER_CLEAR, new byte[0], Auth.once(tpm.oiap(), OWNER))
                    .orFail();
        }
        byForce = !byForce;
    }
}
