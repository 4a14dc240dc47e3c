package org.vtpm.storage;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.crypto.AesGcm;
import org.vtpm.crypto.AuthenticationException;

/** A root of trust whose key is its host's name. */
public record TestRoot(String name, String host) implements RootOfTrust {
    private static final byte[] NONCE = new byte[AesGcm.NONCE_LENGTH];

    public TestRoot() {
        this("test", "this host");
    }

    @Override
    public String place() {
        return host;
    }

    @Override
    public boolean developmentOnly() {
        return true;
    }

    @Override
    public byte[] seal(byte[] secret, SealingTerms terms) {
        return AesGcm.seal(key(), NONCE, new byte[0], secret);
    }

    @Override
    public byte[] unseal(byte[] sealed) throws RootOfTrustException {
        try {
            return AesGcm.open(key(), NONCE, new byte[0], sealed);
        } catch (AuthenticationException e) {
            throw new RootOfTrustException("sealed on another host", e);
        }
    }

    @Override
    public byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) {
        return seal(secret, SealingTerms.NONE);
    }

    @Override
    public byte[] terms(byte[] sealed) {
        return new byte[0];
    }

    @Override
    public Examination examine(byte[] sealed) {
        try {
            unseal(sealed);
            return new Examination(List.of(), List.of(), 0);
        } catch (RootOfTrustException e) {
            return new Examination(List.of(e.getMessage()), List.of(), 0);
        }
    }

    @Override
    public Optional<PlatformPolicies> policies() {
        return Optional.empty();
    }

    @Override
    public Optional<MonotonicCounters> counters() {
        return Optional.empty();
    }

    private byte[] key() {
        return Arrays.copyOf(host.getBytes(StandardCharsets.UTF_8), 32);
    }
}
