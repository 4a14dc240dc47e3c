package org.vtpm.itests.sidebyside;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Where our TPM answers otherwise than the reference. Every entry of the table has to show in a full comparison.
 *
 * @param name says what is different
 * @param shows tells whether a difference is this one
 * @param reason why ours is right, or as good
 * @param source where the specification, or the reference's own code, says so
 */
record Deviation(String name, Predicate<Difference> shows, String reason, String source) {
    /** All there are; any other difference is a fault. */
    static final List<Deviation> TABLE = List.of();

    /** The deviation that a difference is, if it is a known one. */
    static Optional<Deviation> of(Difference difference) {
        return TABLE.stream().filter(one -> one.shows.test(difference)).findFirst();
    }
}
