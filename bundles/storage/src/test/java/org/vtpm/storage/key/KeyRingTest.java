package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.vtpm.storage.key.KeyRing.Counter;
import org.vtpm.storage.key.KeyRing.ReplayPolicy;

class KeyRingTest {
    private static final UUID INSTANCE = new UUID(1, 2);

    private final SecureRandom random = new SecureRandom();
    private final HostSecret secret = HostSecret.random(random);

    @Test
    void isStoredAsItIs() throws Exception {
        Counter counter = new Counter("tpm20", new byte[] {1, 2}, new byte[20], 7);
        KeyRing ring = KeyRing.random(random)
                .withNewGeneration(random)
                .withOperatorKey(new byte[] {3})
                .withReplayPolicy(ReplayPolicy.AUDIT)
                .withCounter(counter);
        byte[] dataKey = KeyRing.newDataKey(random);
        byte[] wrapped = ring.wrap(dataKey, INSTANCE, 5, random);
        KeyRing stored = KeyRing.open(ring.seal(secret, random), secret);
        assertThat(stored.generation()).isEqualTo(2);
        assertThat(stored.generations()).isEqualTo(2);
        assertThat(stored.operatorKey()).containsExactly(3);
        assertThat(stored.replayPolicy()).isEqualTo(ReplayPolicy.AUDIT);
        assertThat(stored.counter()).usingRecursiveComparison().isEqualTo(counter);
        assertThat(stored.unwrap(wrapped, INSTANCE, 5)).isEqualTo(dataKey);
        assertThat(KeyRing.generationOf(wrapped)).isEqualTo(2);
    }

    @Test
    void aRingFromBeforeThereWereBundlesOpensAndGetsAKeyAtNeed() throws Exception {
        byte[] stored = ByteBuffer.allocate(42)
                .put((byte) 2) // audit
                .putShort((short) 0)
                .put((byte) 0)
                .putShort((short) 1)
                .putInt(9)
                .put(new byte[32])
                .array();
        byte[] aad = ByteBuffer.allocate(32)
                .put("vtpm storage 2: key ring".getBytes(UTF_8))
                .put(secret.id())
                .array();

        KeyRing ring = KeyRing.open(secret.seal(stored, aad, random), secret);

        assertThat(ring.generation()).isEqualTo(9);
        assertThat(ring.exportKey()).isEmpty();
        assertThat(ring.exportSeed()).isEmpty();
        KeyRing next = ring.withExportKey(random);
        byte[] key = next.exportKey().orElseThrow().subjectPublicKeyInfo();
        KeyRing later = next.withExportKey(random)
                .withNewGeneration(random)
                .withCurrentGenerationOnly()
                .withOperatorKey(new byte[] {3})
                .withReplayPolicy(ReplayPolicy.STRICT)
                .withCounter(null);
        next.close();
        assertThat(next.exportSeed()).containsOnly(0);
        assertThat(KeyRing.open(later.seal(secret, random), secret).exportKey().orElseThrow())
                .satisfies(kept -> assertThat(kept.subjectPublicKeyInfo()).isEqualTo(key));
    }

    @Test
    void dataKeysOfOlderGenerationsOpenUntilTheyAreWrappedAnew() throws Exception {
        KeyRing first = KeyRing.random(random);
        byte[] dataKey = KeyRing.newDataKey(random);
        byte[] wrapped = first.wrap(dataKey, INSTANCE, 1, random);
        KeyRing second = first.withNewGeneration(random);
        assertThat(second.unwrap(wrapped, INSTANCE, 1)).isEqualTo(dataKey);
        byte[] anew = second.wrap(dataKey, INSTANCE, 1, random);
        KeyRing only = second.withCurrentGenerationOnly();
        assertThat(only.unwrap(anew, INSTANCE, 1)).isEqualTo(dataKey);
        assertThatThrownBy(() -> only.unwrap(wrapped, INSTANCE, 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is of generation 1, which is not in the key ring");
    }

    @Test
    void aDataKeyIsBoundToInstanceAndVersion() throws Exception {
        KeyRing ring = KeyRing.random(random);
        byte[] wrapped = ring.wrap(KeyRing.newDataKey(random), INSTANCE, 1, random);
        assertThatThrownBy(() -> ring.unwrap(wrapped, new UUID(1, 3), 1)).hasMessageContaining("another's");
        assertThatThrownBy(() -> ring.unwrap(wrapped, INSTANCE, 2)).hasMessageContaining("was changed");
        for (int at = 0; at < wrapped.length; at++) {
            byte[] changed = wrapped.clone();
            changed[at] ^= 1;
            byte[] cut = Arrays.copyOf(wrapped, at);
            assertThatThrownBy(() -> ring.unwrap(changed, INSTANCE, 1)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> ring.unwrap(cut, INSTANCE, 1)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void opensWithItsSecretOnlyAndUnchanged() throws Exception {
        byte[] sealed = KeyRing.random(random).seal(secret, random);
        assertThatThrownBy(() -> KeyRing.open(sealed, HostSecret.random(random)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("does not open with this host's secret");
        for (int at = 0; at < sealed.length; at++) {
            byte[] changed = sealed.clone();
            changed[at] ^= 1;
            assertThatThrownBy(() -> KeyRing.open(changed, secret)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void closingOneLeavesItsDescendantsWhole() throws Exception {
        KeyRing ring = KeyRing.random(random);
        byte[] wrapped = ring.wrap(KeyRing.newDataKey(random), INSTANCE, 1, random);
        KeyRing next = ring.withReplayPolicy(ReplayPolicy.AUDIT);
        ring.close();
        next.unwrap(wrapped, INSTANCE, 1);
        assertThatThrownBy(() -> ring.unwrap(wrapped, INSTANCE, 1)).isInstanceOf(IOException.class);
    }
}
