package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ops4j.pax.exam.CoreOptions.environment;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.inject.Inject;
import org.apache.karaf.features.BootFinished;
import org.apache.karaf.shell.api.console.SessionFactory;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.vtpm.itests.process.Wait;
import org.vtpm.itests.tpm12.Tpm12Client;

/** A host without libgmp: all works, on the JDK's big numbers, and the log tells how to do better. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class GmpAbsentIT {
    private static final String NOT_A_LIBRARY = "test.not.a.library";

    @Inject
    private SessionFactory sessions;

    @Inject
    @SuppressWarnings("unused") // Injected once all boot features are installed: what the test has to wait for.
    private BootFinished booted;

    /** The host has a libgmp, since other tests want it; an empty file in front of it is what the container finds. */
    @Configuration
    public Option[] container() throws IOException {
        Path library = Path.of("target", "no-gmp", "libgmp.so.10").toAbsolutePath();
        Path folder = Files.createDirectories(library.getParent());
        Files.write(library, new byte[0]);
        return Container.of(
                GmpAbsentIT.class,
                environment("LD_LIBRARY_PATH=" + folder),
                systemProperty(NOT_A_LIBRARY).value(library.toString()));
    }

    @Test
    public void javaServesUntilTheLibraryIsInstalled() throws Exception {
        KarafShell shell = new KarafShell(sessions);
        int port = Container.freePort();
        shell.run("vtpm:create demo --endpoint tcp:127.0.0.1:" + port);

        try (Tpm12Client guest = Guests.at(port)) {
            guest.takeOwnership(zeros(), zeros()).orFail();
            assertThat(Guests.owned(guest)).isTrue();
        }
        assertThat(shell.run("vtpm:backends"))
                .containsPattern("BigNumberProvider +\\| java +\\| preferred")
                .doesNotContain("| gmp")
                .doesNotContain("MISSING");
        assertThat(ContainerLog.lines("libgmp"))
                .singleElement()
                .asString()
                .contains("WARN", "missing", "apt-get install libgmp10", "bundle:restart org.vtpm.bignum.gmp");

        Files.delete(Path.of(System.getProperty(NOT_A_LIBRARY)));
        shell.run("bundle:restart org.vtpm.bignum.gmp");

        Wait.until(
                "gmp serves",
                () -> shell.run("vtpm:backends").matches("(?s).*BigNumberProvider +\\| gmp +\\| preferred.*"));
        assertThat(ContainerLog.faults()).isEmpty();
    }
}
