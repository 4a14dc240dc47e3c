package org.vtpm.vtpmd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;

/** The command line and standard input; {@link VtpmdProcessTest} has the rest. */
class VtpmdTest {
    private static final String INSTANCE = "5f6c0a7e-51d2-4f0b-9d8e-2f3f0c6f3a01";

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final CompletableFuture<Integer> exit = new CompletableFuture<>();

    @Test
    void withoutArgumentsItSaysWhoseProgramItIs() {
        assertThat(run(InputStream.nullInputStream())).isEqualTo(Vtpmd.USAGE);
        assertThat(errors()).contains("launched by the vTPM manager").hasLineCount(1);
    }

    @Test
    void aFamilyWithoutEngineIsRefused() {
        assertThat(run(InputStream.nullInputStream(), INSTANCE, "/c", "/r", "3.0"))
                .isEqualTo(Vtpmd.USAGE);
        assertThat(errors()).contains(INSTANCE).contains("3.0").hasLineCount(1);
    }

    @Test
    void aShortSecretIsRefused() {
        assertThat(run(new ByteArrayInputStream(new byte[31]), INSTANCE, "/c", "/r", "1.2"))
                .isEqualTo(Vtpmd.USAGE);
        assertThat(errors()).contains("secret").hasLineCount(1);
    }

    @Test
    void pipesThatAreNotThereAreAnErrorOfTheChannel() throws Exception {
        assertThat(run(new ByteArrayInputStream(new byte[32]), INSTANCE, "/nowhere/c", "/nowhere/r", "1.2"))
                .isEqualTo(Vtpmd.CHANNEL);
        assertThat(errors()).contains("/nowhere/c").hasLineCount(1);
        assertThat(exit.get(20, TimeUnit.SECONDS)).as("standard input ended").isEqualTo(Vtpmd.STOPPED);
    }

    private int run(InputStream in, String... arguments) {
        return new Vtpmd(
                        List.of(new Tpm12EngineFactory(JavaBigNumberProvider::new)),
                        in,
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        exit::complete)
                .run(List.of(arguments));
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8).strip();
    }
}
