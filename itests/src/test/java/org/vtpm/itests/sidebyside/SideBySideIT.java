package org.vtpm.itests.sidebyside;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.engine.tpm12.chapter.Chapters;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.coverage.Exercised;

/**
 * Sends the same requests to our engine and to Debian's swtpm, and expects the same answers, but for what {@link
 * Deviation} lists. Every other value of a field is tried in about half of the situations where the command can succeed,
 * and where it cannot a part of them; the situations that are about physical presence see the commands that ask for it.
 * The system property {@code vtpm.sidebyside.all} sends everything everywhere, and {@code vtpm.sidebyside.seed} mixes
 * other values, with other nonces.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SideBySideIT {
    private static final boolean ALL = Boolean.getBoolean("vtpm.sidebyside.all");
    private static final long SEED = Long.getLong("vtpm.sidebyside.seed", 1);
    private static final int FEWEST_CASES = 20_000;
    /**
     * TPM_Init is a signal of the platform, which no TPM takes from a guest; the establishment bit is for other
     * localities than a guest's; and the reference has no maintenance that an archive could be held against.
     */
    private static final Set<Ordinal> NEVER_CARRIED_OUT =
            Set.of(Ordinal.INIT, Ordinal.TSC_RESET_ESTABLISHMENT_BIT, Ordinal.LOAD_MAINTENANCE_ARCHIVE);

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
        DynamicNode deviations = dynamicTest(
                "every deviation shows",
                () -> assertThat(comparison.seen()).containsExactlyInAnyOrder(Deviation.values()));
        DynamicNode ordinals = dynamicTest("every command of ours is compared", this::everyCommandOfOursIsCompared);
        DynamicNode number = dynamicTest(
                "so many cases are compared",
                () -> assertThat(comparison.cases()).isGreaterThanOrEqualTo(FEWEST_CASES));
        return Stream.concat(situations, Stream.of(deviations, ordinals, number));
    }

    /** A command that gets a handler gets a well-formed request here, too, which our TPM carries out. */
    private void everyCommandOfOursIsCompared() {
        Handlers handlers = Chapters.handlers();
        Set<Integer> requested =
                Requests.all().stream().map(request -> request.ordinal().code()).collect(Collectors.toSet());
        Set<Integer> excepted = NEVER_CARRIED_OUT.stream().map(Ordinal::code).collect(Collectors.toSet());
        List<Command> ours = CommandTable.all().stream()
                .filter(command -> handlers.supports(command.ordinal()))
                .toList();
        assertThat(ours.stream().filter(command -> !requested.contains(command.ordinal())))
                .as("commands without a request in Requests")
                .isEmpty();
        assertThat(ours.stream()
                        .filter(command -> !excepted.contains(command.ordinal()))
                        .filter(command -> !exercised.carriedOut(command.ordinal())))
                .as("commands that were never carried out")
                .isEmpty();
    }

    /** How a request is sent in a situation. */
    static List<Case> cases(Situation situation, Request request) {
        List<Case> cases = new ArrayList<>();
        if (ALL || !situation.aboutPresence() || request.aboutPresence()) {
            cases.addAll(Variants.wellFramed(request));
            boolean succeeds = request.canSucceed(situation);
            if (request.wellFramedOnly()) {
                return cases;
            }
            if (succeeds) {
                cases.addAll(part(situation, Variants.withOtherValues(request, SEED), 2));
            }
            int step = succeeds ? 1 : 4;
            // What is malformed in an owned TPM is so too when its NV is locked.
            cases.addAll(part(situation, Variants.malformed(request), situation == Situation.LOCKED ? 2 : step));
        }
        return cases;
    }

    /** Every so many cases, others in each situation. */
    private static List<Case> part(Situation situation, List<Case> cases, int step) {
        if (ALL) {
            return cases;
        }
        int first = Situation.ALL.indexOf(situation) % step;
        return IntStream.range(0, cases.size())
                .filter(index -> index % step == first)
                .mapToObj(cases::get)
                .toList();
    }
}
