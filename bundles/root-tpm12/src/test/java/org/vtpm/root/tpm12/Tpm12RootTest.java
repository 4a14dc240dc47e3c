package org.vtpm.root.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.annotation.Annotation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;

class Tpm12RootTest {
    private record Config(String place, String name, int command_timeout, String srk_auth, String passthrough)
            implements Tpm12RootConfig {
        @Override
        public Class<? extends Annotation> annotationType() {
            return Tpm12RootConfig.class;
        }
    }

    @TempDir
    private Path folder;

    @Test
    void itIsThereWithoutItsTpmAndSaysWhatToDo() {
        String place = "device:" + folder.resolve("tpm0");
        RootOfTrust root = new Tpm12Root(new Config(place, "second", 60, "", ""));
        assertThat(root.name()).isEqualTo("second");
        assertThat(root.place()).isEqualTo(place);
        assertThat(root.developmentOnly()).isFalse();
        MonotonicCounters counters = root.counters().orElseThrow();
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> root.seal(new byte[32], SealingTerms.NONE))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("there is no TPM at " + place);
            assertThatThrownBy(() -> counters.create(new byte[20], new byte[20]))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("there is no TPM at " + place);
            assertThatThrownBy(() -> root.policies().orElseThrow().pcrs(Set.of(7)))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("there is no TPM at " + place);
        }
        assertThat(root.examine(new byte[100]).problems()).hasSize(1);
    }

    @Test
    void aSecretOfTheStorageRootKeyThatIsNoneIsTold() throws Exception {
        Path file = folder.resolve("srk");
        RootOfTrust root =
                new Tpm12Root(new Config("device:" + folder.resolve("tpm0"), "tpm12", 60, file.toString(), ""));
        assertThatThrownBy(() -> root.seal(new byte[32], SealingTerms.NONE))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("srk.auth");
        Files.write(file, new byte[19]);
        assertThatThrownBy(() -> root.seal(new byte[32], SealingTerms.NONE))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("has 19 bytes, but needs 20");
    }
}
