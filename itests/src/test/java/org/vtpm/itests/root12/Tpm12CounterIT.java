package org.vtpm.itests.root12;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.itests.tpm12.Wire;

/** Counters in a TPM 1.2: they only rise, whatever happens to the host, and one of them between two starts. */
class Tpm12CounterIT {
    private static final byte[] SECRET = "twenty secret bytes!".getBytes(UTF_8);
    private static final byte[] OTHER_SECRET = "twenty other bytes!!".getBytes(UTF_8);
    private static final byte[] OWNER = Wire.sha1("the owner's password".getBytes(UTF_8));

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void countersOnlyRise(Chip.Maker maker) throws Exception {
        try (Chip chip = maker.chip(folder)) {
            MonotonicCounters counters = counters(chip);
            byte[] counter = counters.create(SECRET, OWNER);
            long value = counters.read(counter, SECRET);
            for (int restart = 0; restart < 3; restart++) {
                for (int i = 0; i < 3; i++) {
                    assertThat(counters.increment(counter, SECRET)).isEqualTo(++value);
                    assertThat(counters.read(counter, SECRET)).isEqualTo(value);
                }
                chip.restart();
                assertThat(counters.read(counter, SECRET)).isEqualTo(value);
            }
            assertThat(chip.leftovers()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void oneCounterIsRaisedUntilTheHostRestarts(Chip.Maker maker) throws Exception {
        try (Chip chip = maker.chip(folder)) {
            MonotonicCounters counters = counters(chip);
            byte[] first = counters.create(SECRET, OWNER);
            byte[] second = counters.create(OTHER_SECRET, OWNER);
            counters.increment(first, SECRET);
            assertThatThrownBy(() -> counters.increment(second, OTHER_SECRET))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("restart the host");
            long value = counters.read(second, OTHER_SECRET);
            chip.restart();
            assertThat(counters.increment(second, OTHER_SECRET)).isEqualTo(value + 1);
            assertThat(chip.leftovers()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatWasReleasedIsGoneAndComesBackHigher(Chip.Maker maker) throws Exception {
        try (Chip chip = maker.chip(folder)) {
            MonotonicCounters counters = counters(chip);
            byte[] counter = counters.create(SECRET, OWNER);
            long value = counters.increment(counter, SECRET);
            assertThatThrownBy(() -> counters.increment(counter, OTHER_SECRET))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("another secret");
            assertThatThrownBy(() -> counters.release(counter, OTHER_SECRET, OWNER))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("another secret");
            counters.release(counter, SECRET, OWNER);
            counters.release(counter, SECRET, OWNER);
            assertThatThrownBy(() -> counters.read(counter, SECRET))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("was removed");
            // It has the number of the old one, but does not pass for it.
            byte[] next = counters.create(SECRET, OWNER);
            assertThat(counters.read(next, SECRET)).isGreaterThan(value);
            assertThatThrownBy(() -> counters.read(counter, SECRET))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("was removed");
            assertThat(chip.leftovers()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void theOwnerMakesThem(Chip.Maker maker) throws Exception {
        try (Chip chip = maker.chip(folder)) {
            MonotonicCounters counters = counters(chip);
            assertThatThrownBy(() -> counters.create(SECRET, new byte[0]))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("owner's secret");
            assertThatThrownBy(() -> counters.create(SECRET, OTHER_SECRET))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("not the secret of the TPM's owner");
            byte[] counter = counters.create(SECRET, OWNER);
            chip.clear();
            assertThatThrownBy(() -> counters.read(counter, SECRET))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("was cleared");
            assertThat(chip.leftovers()).isEmpty();
        }
    }

    private static MonotonicCounters counters(Chip chip) throws RootOfTrustException {
        RootOfTrust root = Roots.at(chip.place());
        root.seal(SECRET, new SealingTerms(Set.of(), new byte[0], OWNER, true));
        return root.counters().orElseThrow();
    }
}
