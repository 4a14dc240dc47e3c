package org.vtpm.vtpmd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.bignum.java.JavaBigNumberProvider;

class BigNumbersTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);

    @Test
    void thePreferredProviderIsBoundOnceAndNotBeforeItIsUsed() {
        AtomicInteger bindings = new AtomicInteger();
        BigNumberProvider preferred = new JavaBigNumberProvider();
        BigNumbers numbers = new BigNumbers(
                () -> {
                    bindings.incrementAndGet();
                    return preferred;
                },
                errors);
        assertThat(bindings).hasValue(0);
        assertThat(numbers.get()).isSameAs(preferred);
        assertThat(numbers.get()).isSameAs(preferred);
        assertThat(bindings).hasValue(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void withoutTheLibraryNumbersAreJavas() {
        BigNumbers numbers = new BigNumbers(
                () -> {
                    throw new IllegalStateException("libgmp.so.10 cannot be used");
                },
                errors);
        assertThat(numbers.get().name()).isEqualTo("java");
        assertThat(numbers.get()).isSameAs(numbers.get());
        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("libgmp.so.10")
                .hasLineCount(1);
    }

    @Test
    void withoutNativeCallsNumbersAreJavas() {
        BigNumbers numbers = new BigNumbers(
                () -> {
                    throw new NoClassDefFoundError("jnr/ffi/LibraryLoader");
                },
                errors);
        assertThat(numbers.get().name()).isEqualTo("java");
    }
}
