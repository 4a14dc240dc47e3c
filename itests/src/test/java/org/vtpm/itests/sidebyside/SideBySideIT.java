package org.vtpm.itests.sidebyside;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.itests.tpm12.coverage.Exercised;

/**
 * Sends the same requests to our engine and to Debian's swtpm, and expects the same answers, but for what {@link
 * Deviation} lists. Every other value of a field is tried in about half of the situations, and the situations that are
 * about physical presence see the commands that ask for it; the system property {@code vtpm.sidebyside.all} sends
 * everything everywhere.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SideBySideIT {
    private static final boolean ALL = Boolean.getBoolean("vtpm.sidebyside.all");
    private static final long SEED = 1;

    private final Exercised exercised = new Exercised();
    private Comparison comparison;

    @BeforeAll
    void start(@TempDir Path folder) {
        comparison = new Comparison(
                new EngineTarget(new Tpm12EngineFactory(JavaBigNumberProvider::new), exercised),
                new SwtpmTarget(folder));
    }

    @AfterAll
    void end() throws IOException {
        comparison.close();
        exercised.save("sidebyside");
    }

    @TestFactory
    Stream<DynamicNode> everyRequestInEverySituation() {
        Stream<DynamicNode> situations = Situation.ALL.stream()
                .map(situation -> dynamicContainer(
                        situation.name(),
                        Requests.all().stream()
                                .filter(request -> !cases(situation, request).isEmpty())
                                .map(request -> dynamicTest(
                                        request.label(),
                                        () -> comparison.run(situation, SEED, cases(situation, request))))));
        DynamicNode last = dynamicTest(
                "every deviation shows",
                () -> assertThat(comparison.seen()).containsExactlyInAnyOrder(Deviation.values()));
        return Stream.concat(situations, Stream.of(last));
    }

    /** How a request is sent in a situation. */
    static List<Case> cases(Situation situation, Request request) {
        List<Case> cases = new ArrayList<>();
        if (ALL || !situation.aboutPresence() || request.aboutPresence()) {
            cases.addAll(Variants.wellFramed(request));
            if (!request.byOwner() || situation.owned()) {
                List<Case> others = Variants.withOtherValues(request, SEED);
                for (int i = ALL ? 0 : Situation.ALL.indexOf(situation) % 2; i < others.size(); i += ALL ? 1 : 2) {
                    cases.add(others.get(i));
                }
            }
            cases.addAll(Variants.malformed(request));
        }
        return cases;
    }
}
