package org.vtpm.storage;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.crypto.AesGcm;
import org.vtpm.crypto.AuthenticationException;

/** A root of trust whose key is its host's name. */
record TestRoot(String name, String host) implements RootOfTrust {
    private static final byte[] NONCE = new byte[AesGcm.NONCE_LENGTH];

    TestRoot() {
        this("test", "this host");
    }

    @Override
    public boolean developmentOnly() {
        return true;
    }

    @Override
    public byte[] seal(byte[] secret) {
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

    private byte[] key() {
        return Arrays.copyOf(host.getBytes(StandardCharsets.UTF_8), 32);
    }
}
