package org.vtpm.shell;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.karaf.shell.support.CommandException;
import org.vtpm.api.root.PcrValue;

/** PCRs as operators write them. */
final class Pcrs {
    private static final Pattern RANGE = Pattern.compile("([0-9]{1,2})(?:-([0-9]{1,2}))?");
    private static final Pattern VALUE = Pattern.compile("([0-9]{1,2})=([0-9a-fA-F]+)");
    private static final int LAST = 23;
    private static final Set<Integer> DIGEST_LENGTHS = Set.of(20, 32);

    private Pcrs() {}

    /** Indices such as {@code 0,1,2,7} or {@code 0-7,14}. */
    static Set<Integer> indices(String words) throws CommandException {
        Set<Integer> indices = new TreeSet<>();
        for (String word : words.split(",", -1)) {
            Matcher matcher = RANGE.matcher(word);
            if (!matcher.matches()) {
                throw notIndices(words);
            }
            int first = Integer.parseInt(matcher.group(1));
            int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
            if (first > last || last > LAST) {
                throw notIndices(words);
            }
            for (int index = first; index <= last; index++) {
                indices.add(index);
            }
        }
        return indices;
    }

    private static CommandException notIndices(String words) {
        return new CommandException(
                "'" + words + "' are no PCRs: write 0,1,2,7 or 0-7, with indices from 0 to " + LAST);
    }

    /** Values such as {@code 7=0f1e...}, in the order of the PCRs. */
    static List<PcrValue> values(List<String> words) throws CommandException {
        List<PcrValue> values = new ArrayList<>();
        Set<Integer> seen = new TreeSet<>();
        for (String word : words) {
            Matcher matcher = VALUE.matcher(word);
            if (!matcher.matches()
                    || matcher.group(2).length() % 2 != 0
                    || !DIGEST_LENGTHS.contains(matcher.group(2).length() / 2)
                    || Integer.parseInt(matcher.group(1)) > LAST) {
                throw new CommandException("--pcr is a PCR's index and its value, such as 7=0f1e...: 64 hexadecimal"
                        + " digits for a TPM 2.0, 40 for a TPM 1.2; not '" + word + "'");
            }
            int index = Integer.parseInt(matcher.group(1));
            if (!seen.add(index)) {
                throw new CommandException("--pcr gives PCR " + index + " two values");
            }
            values.add(new PcrValue(index, HexFormat.of().parseHex(matcher.group(2))));
        }
        values.sort(Comparator.comparingInt(PcrValue::index));
        return values;
    }

    /** As options that give the same values again. */
    static String options(List<PcrValue> values) {
        return values.stream().map(value -> " --pcr " + value).collect(Collectors.joining());
    }

    static String list(List<PcrValue> values) {
        return values.stream().map(value -> String.valueOf(value.index())).collect(Collectors.joining(", "));
    }

    static String hex(PcrValue value) {
        return HexFormat.of().formatHex(value.value());
    }
}
