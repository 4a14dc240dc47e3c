package org.vtpm.listener.swtpm;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SettingsTest {
    @Test
    void limitsThatServeNobodyAreRefusedWithTheirName() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Settings(false, 0, Duration.ofSeconds(1)))
                .withMessageContaining("max.connections is 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Settings(false, 1, Duration.ZERO))
                .withMessageContaining("command.timeout is 0");
    }
}
