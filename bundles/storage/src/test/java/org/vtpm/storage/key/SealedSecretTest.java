package org.vtpm.storage.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.storage.TestRoot;

/** The terms of a blob are believed only if who had the secret wrote them. */
class SealedSecretTest {
    private static final byte[] NONE = {};
    private static final SealingTerms TO_PCR_7 = new SealingTerms(Set.of(7), new byte[] {1}, NONE, false);

    private final RootOfTrust root = new PcrRoot(new TestRoot());
    private final HostSecret secret = HostSecret.random(new SecureRandom());

    /** Writes the first PCR of the terms before what another root seals, and does not look at it when it opens. */
    private record PcrRoot(TestRoot root) implements RootOfTrust {
        @Override
        public String name() {
            return root.name();
        }

        @Override
        public String place() {
            return root.place();
        }

        @Override
        public boolean developmentOnly() {
            return true;
        }

        @Override
        public byte[] seal(byte[] secret, SealingTerms terms) {
            return withPcr(terms.pcrs().isEmpty() ? -1 : terms.pcrs().iterator().next(), secret);
        }

        private byte[] withPcr(int pcr, byte[] secret) {
            byte[] sealed = root.seal(secret, SealingTerms.NONE);
            byte[] blob = new byte[1 + sealed.length];
            blob[0] = (byte) pcr;
            System.arraycopy(sealed, 0, blob, 1, sealed.length);
            return blob;
        }

        @Override
        public byte[] unseal(byte[] sealed) throws RootOfTrustException {
            return root.unseal(Arrays.copyOfRange(sealed, 1, sealed.length));
        }

        @Override
        public byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) {
            return withPcr(sealed[0], secret);
        }

        @Override
        public byte[] terms(byte[] sealed) {
            return Arrays.copyOf(sealed, 1);
        }

        @Override
        public Examination examine(byte[] sealed) {
            return new Examination(List.of(), List.of(), 0);
        }

        @Override
        public Optional<PlatformPolicies> policies() {
            return Optional.empty();
        }

        @Override
        public Optional<MonotonicCounters> counters() {
            return Optional.empty();
        }
    }

    @Test
    void termsGoOverIntoANewSeal() throws Exception {
        SealedSecret sealed = stored(SealedSecret.of(secret).sealed(root, secret, TO_PCR_7));
        HostSecret next = HostSecret.random(new SecureRandom());
        SealedSecret resealed = stored(SealedSecret.of(next).resealed(root, next, sealed.genuine(root, secret), NONE));
        assertThat(root.terms(resealed.genuine(root, next))).containsExactly(7);
    }

    @Test
    void changedTermsAreFound() throws Exception {
        SealedSecret sealed = stored(SealedSecret.of(secret).sealed(root, secret, TO_PCR_7));
        sealed.copies().get(0).sealed()[0] = -1;
        SealedSecret changed = stored(sealed);
        assertThat(changed.release(List.of(root)).hasId(secret.id()))
                .as("it opens")
                .isTrue();
        assertThatThrownBy(() -> changed.genuine(root, secret))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("terms of root of trust \"test\" in host.key were changed");
    }

    @Test
    void aTagOfAnotherSecretOrRootIsNone() throws Exception {
        SealedSecret sealed = SealedSecret.of(secret).sealed(root, secret, TO_PCR_7);
        HostSecret other = HostSecret.random(new SecureRandom());
        assertThatThrownBy(() -> sealed.genuine(root, other)).hasMessageContaining("were changed");
        RootOfTrust stranger = new PcrRoot(new TestRoot("stranger", "this host"));
        assertThatThrownBy(() -> sealed.genuine(stranger, secret)).hasMessageContaining("enrolled are: test");
        SealedSecret both = sealed.sealed(stranger, secret, SealingTerms.NONE);
        byte[] tag = both.copies().get(0).tag();
        System.arraycopy(both.copies().get(1).tag(), 0, tag, 0, tag.length);
        both.copies().get(0).sealed()[0] = 7;
        assertThatThrownBy(() -> both.genuine(stranger, secret)).hasMessageContaining("were changed");
    }

    /** What is on disk after it was written, and read again. */
    private static SealedSecret stored(SealedSecret sealed) throws IOException {
        return HostKeyFile.decode(HostKeyFile.only(sealed).encode()).secrets().get(0);
    }
}
