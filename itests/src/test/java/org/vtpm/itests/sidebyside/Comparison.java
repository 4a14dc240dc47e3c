package org.vtpm.itests.sidebyside;

import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Runs cases on both TPMs and holds the answers against each other. */
final class Comparison implements AutoCloseable {
    private static final int SHOWN = 25;

    private final Probe ours;
    private final Probe reference;
    private final Set<Deviation> seen = new HashSet<>();
    private @Nullable Situation entered;
    private int cases;

    Comparison(Target ours, Target reference) {
        this.ours = new Probe(ours);
        this.reference = new Probe(reference);
    }

    /** The deviations that showed so far. */
    Set<Deviation> seen() {
        return Set.copyOf(seen);
    }

    /** How many cases were compared so far. */
    int cases() {
        return cases;
    }

    /**
     * Runs cases from one situation, to which both TPMs return whenever a case left it. A fingerprint of both states
     * ends it; what the cases before it left in PCRs and NV stays where they left both TPMs alike.
     *
     * @throws AssertionError naming the first cases whose answers differ without a known reason
     */
    void run(Situation situation, long seed, List<Case> all) throws IOException {
        if (entered != situation) {
            enter(situation);
        }
        List<Difference> unexplained = new ArrayList<>();
        for (Case one : all) {
            run(situation, seed + cases, one, unexplained);
        }
        run(situation, seed, new Case("fingerprint", Probe::fingerprint), unexplained);
        if (!unexplained.isEmpty()) {
            fail(
                    "%d of %d cases differ (seed %d)%n%s",
                    unexplained.size(),
                    all.size() + 1,
                    seed,
                    unexplained.stream().limit(SHOWN).map(Difference::toString).collect(Collectors.joining("\n")));
        }
    }

    private void run(Situation situation, long seed, Case one, List<Difference> unexplained) throws IOException {
        cases++;
        run(ours, seed, one);
        run(reference, seed, one);
        boolean same = ours.answers().equals(reference.answers());
        if (!same) {
            entered = null;
            Difference difference = Difference.between(situation, one.name(), ours.trace(), reference.trace());
            Deviation.of(difference).ifPresentOrElse(seen::add, () -> unexplained.add(difference));
        }
        boolean lost = ours.isLost() || reference.isLost();
        boolean disturbed = !same || ours.disturbed() || reference.disturbed();
        if (lost || (disturbed && !(ours.settle(situation) && reference.settle(situation)))) {
            enter(situation);
        }
    }

    private void enter(Situation situation) throws IOException {
        entered = null;
        ours.enter(situation);
        reference.enter(situation);
        entered = situation;
    }

    private static void run(Probe probe, long seed, Case one) {
        try {
            probe.begin(seed);
            one.action().run(probe);
            probe.closeSessions();
            if (probe.disturbed()) {
                probe.fingerprint();
            }
        } catch (IOException e) {
            probe.lost();
        }
    }

    @Override
    public void close() {
        ours.close();
        reference.close();
    }
}
