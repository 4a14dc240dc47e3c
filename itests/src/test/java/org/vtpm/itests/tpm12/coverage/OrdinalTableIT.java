package org.vtpm.itests.tpm12.coverage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Runs after all other suites, and holds what they exercised against {@code docs/tpm12.md}. */
class OrdinalTableIT {
    private static final Path DOCUMENT = Path.of("../docs/tpm12.md");
    private static final Path GENERATED = Path.of("target/tpm12.md");
    private static final String BEGIN =
            "<!-- The table of ordinals: OrdinalTableIT writes it to itests/target/tpm12.md -->\n";
    private static final String END = "<!-- The end of the table -->\n";

    @Test
    void everyCommandThatWorksWasCarriedOutBySomeSuite() throws IOException {
        assertThat(OrdinalTable.read().neverCarriedOut()).isEmpty();
    }

    @Test
    void theDocumentSaysWhatWorksAndWhoTriedIt() throws IOException {
        String document = Files.readString(DOCUMENT);
        int begin = document.indexOf(BEGIN) + BEGIN.length();
        int end = document.indexOf(END, begin);
        assertThat(begin).isGreaterThanOrEqualTo(BEGIN.length());
        assertThat(end).isGreaterThanOrEqualTo(begin);
        String generated = document.substring(0, begin) + OrdinalTable.read().markdown() + document.substring(end);
        Files.writeString(GENERATED, generated);
        assertThat(OrdinalTable.withoutCounts(document))
                .as("%s is out of date: replace it by itests/%s, which this run wrote", DOCUMENT, GENERATED)
                .isEqualTo(OrdinalTable.withoutCounts(generated));
    }
}
