package org.vtpm.shell;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.karaf.shell.support.CommandException;
import org.vtpm.api.storage.RootAdministration;

/**
 * A set of recovery keys to be made.
 *
 * @param quorum how many of them open the storage
 * @param count how many there are
 */
record RecoverySet(int quorum, int count) {
    /** What is made if an operator does not say otherwise. */
    static final RecoverySet SINGLE = new RecoverySet(1, 1);

    private static final Pattern FORM = Pattern.compile("([1-9][0-9]?)/([1-9][0-9]?)");
    private static final int MOST = 16;

    static RecoverySet of(String word) throws CommandException {
        Matcher matcher = FORM.matcher(word);
        if (matcher.matches()) {
            RecoverySet set = new RecoverySet(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
            if (set.quorum <= set.count && set.count <= MOST) {
                return set;
            }
        }
        throw new CommandException("'" + word + "' is no set of recovery keys: 2/3 is three keys of which two open the"
                + " storage; there are " + MOST + " at most");
    }

    /** Makes the keys, in place of those there may be, and prints them. */
    void make(RootAdministration administration) throws CommandException {
        List<char[]> keys = Instances.ask(() -> administration.makeRecoveryKeys(quorum, count));
        try {
            System.out.println(
                    count == 1
                            ? "This recovery key opens the storage when no root of trust does:"
                            : quorum + " of these " + count
                                    + " recovery keys open the storage when no root of trust does:");
            for (int i = 0; i < keys.size(); i++) {
                System.out.print("  " + (i + 1) + "  ");
                System.out.println(keys.get(i));
            }
            System.out.println(
                    "Write down now what stands here, and keep it away from this host: it is stored nowhere,");
            System.out.println("and not shown again. Recovery keys of before, if any, open nothing any more.");
        } finally {
            keys.forEach(key -> Arrays.fill(key, '\0'));
        }
    }
}
