package org.vtpm.itests.sidebyside;

import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Runs cases on both TPMs and holds the answers against each other. */
final class Comparison implements AutoCloseable {
    private static final int SHOWN = 25;

    private final Probe ours;
    private final Probe reference;
    private final Set<Deviation> seen = new HashSet<>();
    private int cases;

    Comparison(Target ours, Target reference) {
        this.ours = new Probe(ours);
        this.reference = new Probe(reference);
    }

    /** Cases run so far. */
    int cases() {
        return cases;
    }

    /** The deviations that showed so far. */
    Set<Deviation> seen() {
        return Set.copyOf(seen);
    }

    /**
     * Runs cases from one situation, to which both TPMs return whenever a case left it. A fingerprint of both states
     * ends it.
     *
     * @throws AssertionError naming the first cases whose answers differ without a known reason
     */
    void run(Situation situation, long seed, List<Case> all) throws IOException {
        enter(situation);
        List<Difference> unexplained = new ArrayList<>();
        for (Case one : all) {
            run(situation, seed + cases, one, unexplained);
        }
        run(situation, seed, new Case("fingerprint", Probe::fingerprint), unexplained);
        if (!unexplained.isEmpty()) {
            fail(
                    "%d of %d cases differ%n%s",
                    unexplained.size(),
                    all.size() + 1,
                    unexplained.stream().limit(SHOWN).map(Difference::toString).collect(Collectors.joining("\n")));
        }
    }

    private void run(Situation situation, long seed, Case one, List<Difference> unexplained) throws IOException {
        cases++;
        List<String> left = answers(ours, seed, one);
        List<String> right = answers(reference, seed, one);
        boolean same = left.equals(right);
        if (!same) {
            Difference difference = new Difference(situation, one.name(), left, right);
            Deviation.of(difference).ifPresentOrElse(seen::add, () -> unexplained.add(difference));
        }
        boolean disturbed = ours.disturbed() || reference.disturbed();
        if (!same || (disturbed && !(ours.settle(situation) && reference.settle(situation)))) {
            enter(situation);
        }
    }

    private void enter(Situation situation) throws IOException {
        ours.enter(situation);
        reference.enter(situation);
    }

    private static List<String> answers(Probe probe, long seed, Case one) {
        probe.begin(seed);
        try {
            one.action().run(probe);
            probe.closeSessions();
            if (probe.disturbed()) {
                probe.fingerprint();
            }
        } catch (IOException e) {
            probe.lost(e);
        }
        return probe.trace();
    }

    @Override
    public void close() {
        ours.close();
        reference.close();
    }
}
