package org.vtpm.itests.sidebyside;

import java.util.List;

/**
 * A case in which the two TPMs did not answer the same.
 *
 * @param first the number of the first exchange with different answers
 */
record Difference(Situation situation, String name, List<Exchange> ours, List<Exchange> reference, int first) {
    private static final Exchange NOTHING = new Exchange("", "nothing");

    /** The difference between two traces of a case, which must have one. */
    static Difference between(Situation situation, String name, List<Exchange> ours, List<Exchange> reference) {
        int first = 0;
        while (at(ours, first).answer().equals(at(reference, first).answer())) {
            first++;
        }
        return new Difference(situation, name, ours, reference, first);
    }

    /** Our first answer that differs. */
    String oursAtFirst() {
        return at(ours, first).answer();
    }

    /** The reference's answer to the same request. */
    String referenceAtFirst() {
        return at(reference, first).answer();
    }

    private static Exchange at(List<Exchange> exchanges, int index) {
        return index < exchanges.size() ? exchanges.get(index) : NOTHING;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(situation + ", " + name + "\n");
        for (Exchange before : ours.subList(Math.max(0, first - 3), Math.min(first, ours.size()))) {
            text.append("    both:      ").append(before.answer()).append('\n');
        }
        return text.append("    request:   ")
                .append(at(ours, first).request())
                .append("\n    ours:      ")
                .append(oursAtFirst())
                .append("\n    reference: ")
                .append(referenceAtFirst())
                .toString();
    }
}
