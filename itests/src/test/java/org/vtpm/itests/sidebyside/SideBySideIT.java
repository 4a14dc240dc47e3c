package org.vtpm.itests.sidebyside;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

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

/** Sends the same requests to our engine and to Debian's swtpm, and expects the same answers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SideBySideIT {
    private Comparison comparison;

    @BeforeAll
    void start(@TempDir Path folder) {
        comparison = new Comparison(
                new EngineTarget(new Tpm12EngineFactory(JavaBigNumberProvider::new)), new SwtpmTarget(folder));
    }

    @AfterAll
    void end() {
        comparison.close();
    }

    @TestFactory
    Stream<DynamicNode> everyRequestInEverySituation() {
        return Stream.of(Situation.values())
                .map(situation -> dynamicContainer(
                        situation.name(),
                        Requests.all().stream()
                                .map(request -> dynamicTest(request.label(), () -> {
                                    List<Case> cases = new ArrayList<>(Variants.wellFramed(request));
                                    if (!request.byOwner() || situation.owned()) {
                                        cases.addAll(Variants.withOtherValues(request, 1));
                                    }
                                    cases.addAll(Variants.malformed(request, false));

                                    comparison.run(situation, 1, cases);
                                }))));
    }
}
