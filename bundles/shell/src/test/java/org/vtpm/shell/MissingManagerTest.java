package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.Test;

class MissingManagerTest {
    @Test
    void commandsSayWhereToLook() {
        try (KarafShell shell = new KarafShell()) {
            shell.register(ListInstances.class);

            assertThatThrownBy(() -> shell.run("vtpm:list"))
                    .isInstanceOf(CommandException.class)
                    .hasMessageContaining("vtpm:backends");
        }
    }
}
