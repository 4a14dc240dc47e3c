package org.vtpm.itests.root20;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrustException;

/** Monotonic counters in a TPM 2.0: they count, and nobody takes another for one of them. */
class Tpm20CounterIT {
    private static final byte[] SECRET = Arrays.copyOf("a counter's secret".getBytes(UTF_8), 20);
    private static final byte[] OTHER_SECRET = "another secret of 20".getBytes(UTF_8);
    private static final byte[] NO_AUTH = {};
    private static final byte[] OWNER = "password".getBytes(UTF_8);

    @TempDir
    private Path folder;

    private Tpm2 tpm;
    private MonotonicCounters counters;

    @BeforeEach
    void powerOn() throws Exception {
        tpm = Tpm2.start(folder.resolve("tpm"));
        counters = Roots.at(tpm.place()).counters().orElseThrow();
    }

    @AfterEach
    void powerOff() throws Exception {
        try {
            assertThat(tpm.leftovers()).isEmpty();
            assertThat(tpm.lockoutCounter()).isZero();
        } finally {
            tpm.close();
        }
    }

    /** The secret ends in zeros, which a TPM does not keep. */
    @Test
    void itCountsAcrossRestarts() throws Exception {
        byte[] counter = counters.create(SECRET, NO_AUTH);
        long value = counters.read(counter, SECRET);
        for (int restart = 0; restart < 3; restart++) {
            for (int i = 0; i < 3; i++) {
                assertThat(counters.increment(counter, SECRET)).isEqualTo(++value);
                assertThat(counters.read(counter, SECRET)).isEqualTo(value);
            }
            tpm.restart();
            assertThat(counters.read(counter, SECRET)).isEqualTo(value);
        }
        assertThat(tpm.tool("tpm2_nvreadpublic", "0x01800100"))
                .contains("authwrite", "authread", "nt=0x1", "no_da", "written")
                .doesNotContain("orderly", "owner", "policywrite", "ppwrite");
    }

    @Test
    void aCounterThatWasRemovedIsToldAndNeverStartsAnew() throws Exception {
        byte[] counter = counters.create(SECRET, NO_AUTH);
        byte[] second = counters.create(SECRET, NO_AUTH);
        long value = counters.increment(second, SECRET);
        tpm.tool("tpm2_nvundefine", "-C", "o", "0x01800100");
        assertRefused(counter, SECRET, "NV index 0x01800100 was removed from the TPM");
        assertThat(counters.read(second, SECRET)).isEqualTo(value);

        tpm.tool("tpm2_nvdefine", "-C", "o", "-s", "8", "-a", "authread|authwrite|no_da", "-p", "hex:00", "0x01800100");
        assertRefused(counter, SECRET, "is another one than the counter");
        counters.release(counter, SECRET, NO_AUTH);
        assertThat(tpm.tool("tpm2_getcap", "handles-nv-index")).contains("0x1800100");

        // Somebody makes one that looks the same: it has not the secret.
        tpm.tool("tpm2_nvundefine", "-C", "o", "0x01800100");
        tpm.tool(
                "tpm2_nvdefine",
                "-C",
                "o",
                "-s",
                "8",
                "-a",
                "authread|authwrite|no_da|nt=counter",
                "-p",
                "guess",
                "0x01800100");
        tpm.tool("tpm2_nvincrement", "-C", "0x01800100", "-P", "guess", "0x01800100");
        assertRefused(counter, SECRET, "made anew by somebody else");
        // A new counter never has a value that an old one had.
        tpm.tool("tpm2_nvundefine", "-C", "o", "0x01800100");
        assertThat(counters.read(counters.create(SECRET, NO_AUTH), SECRET)).isGreaterThan(value);
    }

    @Test
    void aWrongSecretAndAForeignIdentifierAreRefused() throws Exception {
        byte[] counter = counters.create(SECRET, NO_AUTH);
        for (int i = 0; i < 40; i++) {
            assertRefused(counter, OTHER_SECRET, "another secret");
        }
        for (int i = 0; i < counter.length; i++) {
            byte[] changed = counter.clone();
            changed[i] ^= 1;
            assertThatThrownBy(() -> counters.increment(changed, SECRET)).isInstanceOf(RootOfTrustException.class);
            byte[] cut = Arrays.copyOf(counter, i);
            assertThatThrownBy(() -> counters.read(cut, SECRET)).isInstanceOf(RootOfTrustException.class);
        }
        try (Tpm2 other = Tpm2.start(folder.resolve("other"))) {
            MonotonicCounters elsewhere = Roots.at(other.place()).counters().orElseThrow();
            elsewhere.create(SECRET, NO_AUTH);
            assertThatThrownBy(() -> elsewhere.read(counter, SECRET))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("another TPM");
        }
        tpm.tool("tpm2_clear", "-c", "p");
        assertRefused(counter, SECRET, "cleared");
    }

    @Test
    void itsRoomIsFreeAfterwards() throws Exception {
        tpm.tool("tpm2_changeauth", "-c", "owner", "password");
        assertThatThrownBy(() -> counters.create(SECRET, NO_AUTH))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("password");
        byte[] counter = counters.create(SECRET, OWNER);
        assertThatThrownBy(() -> counters.release(counter, SECRET, NO_AUTH)).isInstanceOf(RootOfTrustException.class);
        assertThat(counters.increment(counter, SECRET)).isPositive();
        counters.release(counter, SECRET, OWNER);
        counters.release(counter, SECRET, OWNER);
        assertThat(tpm.tool("tpm2_getcap", "handles-nv-index")).doesNotContain("0x1800100");
    }

    @Test
    void aFullTpmSaysWhatToDo() throws Exception {
        for (int size : new int[] {2048, 8}) {
            for (int index = 0x01800400; index < 0x01800800; index++) {
                String handle = String.format("0x%08X", index + size);
                if (tpm.tryTool("tpm2_nvdefine", "-C", "o", "-s", String.valueOf(size), handle)
                                .exit()
                        != 0) {
                    break;
                }
            }
        }
        // A TPM keeps room for a few counters when ordinary indices have filled the rest.
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 200; i++) {
                        counters.create(SECRET, NO_AUTH);
                    }
                })
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("NV memory is full")
                .hasMessageContaining("tpm2_nvundefine");
    }

    private void assertRefused(byte[] counter, byte[] secret, String words) {
        assertThatThrownBy(() -> counters.read(counter, secret))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining(words);
        assertThatThrownBy(() -> counters.increment(counter, secret))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining(words);
    }
}
