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
    private static final int LAST_LOCALITY = 4;
    /** Without an owner; with one, and NV locked; and for NV that is not locked. */
    private static final List<Situation> WHERE_LOCALITY_MATTERS =
            List.of(Situation.NO_OWNER_PRESENT, Situation.LOCKED, Situation.OWNED);
    /**
     * TPM_Init is a signal of the platform, which no TPM takes from a guest; and the reference has no maintenance that an archive could be held against.
     */
    private static final Set<Ordinal> NEVER_CARRIED_OUT = Set.of(Ordinal.INIT, Ordinal.LOAD_MAINTENANCE_ARCHIVE);

    /** What the reference does not take for a command, so that it cannot tell its handles from its parameters. */
    private static final Set<Ordinal> MISSING_THERE = Set.of(
            Ordinal.CERTIFY_SELF_TEST,
            Ordinal.GET_CAPABILITY_SIGNED,
            Ordinal.GET_ORDINAL_AUDIT_STATUS,
            Ordinal.CREATE_MAINTENANCE_ARCHIVE,
            Ordinal.LOAD_MAINTENANCE_ARCHIVE,
            Ordinal.KILL_MAINTENANCE_FEATURE,
            Ordinal.LOAD_MANU_MAINT_PUB,
            Ordinal.READ_MANU_MAINT_PUB);
    /** Requests without and with handles, with none, one and two sessions. */
    private static final Set<String> WRAPPED_WRONG = Set.of(
            "PCR_READ",
            "GET_PUB_KEY",
            "LOAD_KEY2 by SRK_OIAP",
            "SIGN by KEY_OSAP with SIGN",
            "OWNER_READ_INTERNAL_PUB by OWNER_OIAP",
            "UNSEAL by SRK_OIAP and DATA_OIAP",
            "CERTIFY_KEY by KEY_OIAP and KEY_OIAP of BIND");

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
        Stream<DynamicNode> localities = WHERE_LOCALITY_MATTERS.stream()
                .map(situation -> dynamicContainer(
                        situation.name() + " from every locality",
                        Stream.concat(Requests.all().stream(), LocalityRequests.all().stream())
                                .filter(request -> !local(situation, request).isEmpty())
                                .map(request -> dynamicTest(
                                        request.label(),
                                        () -> comparison.run(situation, SEED, local(situation, request))))));
        DynamicNode wrapped = dynamicContainer(
                Situation.LOCKED.name() + " in transport sessions",
                Requests.all().stream()
                        .filter(request -> !wrapped(request).isEmpty())
                        .map(request -> dynamicTest(
                                request.label(), () -> comparison.run(Situation.LOCKED, SEED, wrapped(request)))));
        DaaCases daa = new DaaCases();
        DynamicNode attestation = dynamicContainer(
                "direct anonymous attestation",
                Stream.of(
                        dynamicTest("whole", () -> comparison.run(Situation.LOCKED, SEED, List.of(daa.whole()))),
                        dynamicTest(
                                "a join that goes wrong",
                                () -> comparison.run(Situation.LOCKED, SEED, daa.wrong(Ordinal.DAA_JOIN, ALL))),
                        dynamicTest(
                                "a sign that goes wrong",
                                () -> comparison.run(Situation.LOCKED, SEED, daa.wrong(Ordinal.DAA_SIGN, ALL)))));
        DynamicNode deviations = dynamicTest(
                "every deviation shows",
                () -> assertThat(comparison.seen()).containsExactlyInAnyOrder(Deviation.values()));
        DynamicNode ordinals = dynamicTest("every command of ours is compared", this::everyCommandOfOursIsCompared);
        DynamicNode number = dynamicTest(
                "so many cases are compared",
                () -> assertThat(comparison.cases()).isGreaterThanOrEqualTo(FEWEST_CASES));
        return Stream.of(situations, localities, Stream.of(wrapped, attestation, deviations, ordinals, number))
                .flatMap(part -> part);
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

    /**
     * How a request is sent from the localities above 0: as it should be, and if it is about them with other values.
     * Without an owner, those that are about something else come from the highest locality only.
     */
    private static List<Case> local(Situation situation, Request request) {
        boolean storage = request.label().startsWith("NV_");
        if (!request.canSucceed(situation) || (situation == Situation.OWNED && !storage && !ALL)) {
            return List.of();
        }
        boolean about = request.label().endsWith(LocalityRequests.LABEL);
        List<Case> cases = new ArrayList<>(List.of(Variants.wellFormed(request)));
        if (about) {
            cases.addAll(Variants.withOtherFields(request));
        }
        boolean everywhere = ALL || about || situation == Situation.LOCKED;
        return IntStream.rangeClosed(everywhere ? 1 : LAST_LOCALITY, LAST_LOCALITY)
                .boxed()
                .flatMap(locality -> cases.stream().map(one -> one.at(locality)))
                .toList();
    }

    /** How a request is sent wrapped: as it should be, and some requests also as they should not. */
    private static List<Case> wrapped(Request request) {
        if (!request.canSucceed(Situation.LOCKED) || MISSING_THERE.contains(request.ordinal())) {
            return List.of();
        }
        Case wellFormed = Variants.wellFormed(request);
        List<Case> cases = new ArrayList<>((ALL ? Wrapping.all() : Wrapping.two(request))
                .stream().map(wellFormed::in).toList());
        if (ALL || WRAPPED_WRONG.contains(request.label())) {
            cases.addAll(Stream.of(Variants.wellFramed(request), Variants.cut(request), Variants.misframed(request))
                    .flatMap(List::stream)
                    .map(one -> one.in(Wrapping.other(request)))
                    .toList());
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
