package org.vtpm.listener.swtpm;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LogLimiterTest {
    @Test
    void oneLinePassesPerIntervalAndTheOthersAreCounted() {
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
        LogLimiter limiter = new LogLimiter(Duration.ofNanos(10), clock::get);
        assertThat(limiter.permit()).isEqualTo(OptionalLong.of(0));
        assertThat(limiter.permit()).isEmpty();
        clock.addAndGet(9);
        assertThat(limiter.permit()).isEmpty();
        clock.addAndGet(1);
        assertThat(limiter.permit()).isEqualTo(OptionalLong.of(2));
        clock.addAndGet(10);
        assertThat(limiter.permit()).isEqualTo(OptionalLong.of(0));
    }
}
