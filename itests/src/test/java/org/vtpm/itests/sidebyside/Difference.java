package org.vtpm.itests.sidebyside;

import java.util.List;

/** A case in which the two TPMs did not answer the same. */
record Difference(Situation situation, String name, List<String> ours, List<String> reference) {
    /** Our first answer that differs, or that there is none. */
    String oursAtFirst() {
        return at(ours);
    }

    /** The reference's answer to the same request. */
    String referenceAtFirst() {
        return at(reference);
    }

    private String at(List<String> lines) {
        int first = first();
        return first < lines.size() ? lines.get(first) : "nothing";
    }

    private int first() {
        int i = 0;
        while (i < ours.size() && i < reference.size() && ours.get(i).equals(reference.get(i))) {
            i++;
        }
        return i;
    }

    @Override
    public String toString() {
        int first = first();
        StringBuilder text = new StringBuilder(situation + ", " + name + "\n");
        for (String line : ours.subList(Math.max(0, first - 3), Math.min(first, ours.size()))) {
            text.append("    both:      ").append(line).append('\n');
        }
        return text + "    ours:      " + oursAtFirst() + "\n    reference: " + referenceAtFirst();
    }
}
