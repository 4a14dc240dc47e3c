package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.Test;
import org.vtpm.api.root.Examination;
import org.vtpm.api.storage.RootAdministration;
import org.vtpm.api.storage.RootStatus;

/** The commands while no root of trust opens the storage: there are no services of the manager and the open storage then. */
class ClosedStorageTest {
    private static final RootStatus SHUT = new RootStatus(
            "tpm20",
            "/dev/tpmrm0",
            true,
            false,
            true,
            false,
            new Examination(List.of("PCR 7 differs"), List.of(), 1),
            OptionalLong.empty());

    @Test
    void rootsAreThereAndTheStoragePointsToThem() throws Exception {
        RootAdministration alone =
                FakeContext.provider(RootAdministration.class, Map.of("roots", List.of(SHUT), "recoveryQuorum", 0));
        try (KarafShell shell = new KarafShell(alone)) {
            shell.register(Root.class, Storage.class);

            assertThat(shell.run("vtpm:root list")).contains("tpm20");
            assertThat(shell.run("vtpm:root status"))
                    .contains(
                            "PCR 7 differs", "Storage: closed; log:display", "Recovery keys: none; vtpm:root recovery");
            for (String line : List.of("vtpm:storage status", "vtpm:storage snapshots demo")) {
                assertThatThrownBy(() -> shell.run(line))
                        .isInstanceOf(CommandException.class)
                        .hasMessageContaining("The storage is closed")
                        .hasMessageContaining("log:display")
                        .hasMessageContaining("vtpm:root status");
            }
        }
    }

    @Test
    void withoutTheBundleTheyPointToIt() {
        try (KarafShell shell = new KarafShell()) {
            shell.register(Root.class, Storage.class);

            for (String line : List.of("vtpm:root list", "vtpm:storage status")) {
                assertThatThrownBy(() -> shell.run(line))
                        .isInstanceOf(CommandException.class)
                        .hasMessageContaining("bundle:list");
            }
        }
    }
}
