package org.vtpm.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultsTest {
    private final Faults faults = new Faults();
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final PrintStream before = System.err;

    @BeforeEach
    void listen() {
        System.setErr(new PrintStream(log, true, UTF_8));
    }

    @AfterEach
    void listenNoMore() {
        System.setErr(before);
    }

    private String logged() {
        String text = log.toString(UTF_8);
        log.reset();
        return text;
    }

    @Test
    void theLogSaysWhoseItIsWhereItCameFromAndWhatToDo() {
        faults.log("demo", "command 0x14 was answered with a failure", new NoClassDefFoundError("of a guest's making"));
        assertThat(logged())
                .contains("Instance demo: command 0x14 was answered with a failure")
                .contains("java.lang.NoClassDefFoundError")
                .contains("vtpm:restart")
                .contains("FaultsTest.java:")
                .doesNotContain("of a guest's making");
    }

    @Test
    void eachKindIsLoggedOnceUntilTheNextStart() {
        faults.log("demo", "first", new OutOfMemoryError());
        assertThat(logged()).contains("-Xmx");
        faults.log("demo", "again", new OutOfMemoryError());
        assertThat(logged()).isEmpty();
        faults.log("demo", "another", new StackOverflowError());
        assertThat(logged()).contains("another");
        faults.restart();
        faults.log("demo", "anew", new OutOfMemoryError());
        assertThat(logged()).contains("anew");
    }
}
