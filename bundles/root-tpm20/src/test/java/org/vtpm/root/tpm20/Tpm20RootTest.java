package org.vtpm.root.tpm20;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.annotation.Annotation;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;

class Tpm20RootTest {
    private record Config(String place, String name, int command_timeout, String counters_first)
            implements Tpm20RootConfig {
        @Override
        public Class<? extends Annotation> annotationType() {
            return Tpm20RootConfig.class;
        }
    }

    @TempDir
    private Path folder;

    @Test
    void itIsThereWithoutItsTpmAndSaysWhatToDo() {
        String place = "device:" + folder.resolve("tpmrm0");
        RootOfTrust root = new Tpm20Root(new Config(place, "second", 60, "0x01800100"));
        assertThat(root.name()).isEqualTo("second");
        assertThat(root.place()).isEqualTo(place);
        assertThat(root.developmentOnly()).isFalse();
        MonotonicCounters counters = root.counters().orElseThrow();
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> root.seal(new byte[32], SealingTerms.NONE))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("there is no TPM at " + place);
            assertThatThrownBy(() -> counters.create(new byte[20], new byte[0]))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("there is no TPM at " + place);
            assertThatThrownBy(() -> root.policies().orElseThrow().pcrs(Set.of(7)))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("there is no TPM at " + place);
        }
        assertThat(root.examine(new byte[100]).problems()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "one", "0x01000000", "0x017FFFFF", "0x01BFFF01", "0x01C00000", "-1"})
    void aWrongFirstCounterIsRefused(String first) {
        assertThatThrownBy(() -> new Tpm20Root(new Config("device:/dev/tpmrm0", "tpm20", 60, first)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("counters.first");
    }
}
