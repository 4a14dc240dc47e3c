package org.vtpm.root.tpm12;

import java.security.SecureRandom;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.crypto.Secrets;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.HostTpmException;

/** Runs sequences of commands on the TPM, and tells in one kind of exception what went wrong. Thread-safe. */
final class Sequences {
    /** What is to be done with the TPM. */
    @FunctionalInterface
    interface Sequence<T> {
        T run(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException;
    }

    private final HostTpm host;
    private final SrkSecret srkSecret;
    private final SecureRandom random;

    Sequences(HostTpm host, SrkSecret srkSecret, SecureRandom random) {
        this.host = host;
        this.srkSecret = srkSecret;
        this.random = random;
    }

    <T> T run(Sequence<T> sequence) throws RootOfTrustException {
        byte[] secret = srkSecret.read();
        try (Tpm tpm = Tpm.open(host, secret, random)) {
            return sequence.run(tpm);
        } catch (HostTpmException e) {
            throw new RootOfTrustException(String.valueOf(e.getMessage()), e);
        } catch (RefusedException e) {
            throw new RootOfTrustException("the TPM at " + host.place() + " refuses: " + e.getMessage(), e);
        } finally {
            Secrets.zero(secret);
        }
    }

    String place() {
        return host.place().toString();
    }
}
