package org.vtpm.shell;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;

/**
 * {@code vtpm.db} of Xen 3.x's hotplug scripts: which guest has which vTPM. Each line is the UUID of a vTPM (since 2007) or
 * the name of a domain, then white space and the number of its instance; lines that begin with # are comments.
 */
final class VtpmDb {
    /** Bytes; thousands of guests fit in. */
    static final int LONGEST = 1 << 20;

    /** Greatest number that a listener serves; the scripts took 255 as the greatest that may be asked for. */
    private static final long MAX_NUMBER = 0xFFFFFFFEL;

    private static final Pattern UUID_FORM =
            Pattern.compile("\\p{XDigit}{8}-\\p{XDigit}{4}-\\p{XDigit}{4}-\\p{XDigit}{4}-\\p{XDigit}{12}");
    private static final Pattern NUMBER = Pattern.compile("0*[1-9][0-9]{0,9}");
    private static final int ERRORS_SHOWN = 10;

    private VtpmDb() {}

    /**
     * One line.
     *
     * @param line its number in the file, from 1
     * @param key as it is written there
     * @param uuid the key, if it is one; else it is a name
     * @param number of the instance
     */
    record Entry(int line, String key, @Nullable UUID uuid, long number) {}

    /**
     * Reads the lines of a file.
     *
     * @throws CommandException if any of them is no entry, or two of them contradict each other; it tells of each
     */
    static List<Entry> parse(byte[] file) throws CommandException {
        List<Entry> entries = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        Map<String, Integer> keys = new HashMap<>();
        Map<Long, Integer> numbers = new HashMap<>();
        int line = 0;
        for (String text : new String(file, StandardCharsets.UTF_8).split("\n", -1)) {
            line++;
            String content = text.strip();
            if (content.isEmpty() || content.startsWith("#")) {
                continue;
            }
            String[] columns = content.split("\\s+", -1);
            if (columns.length != 2) {
                errors.add("line " + line + " is not a UUID or name and a number");
                continue;
            }
            if (!NUMBER.matcher(columns[1]).matches() || Long.parseLong(columns[1]) > MAX_NUMBER) {
                errors.add("line " + line + ": '" + columns[1] + "' is no number from 1 to " + MAX_NUMBER);
                continue;
            }
            boolean isUuid = UUID_FORM.matcher(columns[0]).matches();
            Entry entry = new Entry(
                    line, columns[0], isUuid ? UUID.fromString(columns[0]) : null, Long.parseLong(columns[1]));
            Integer sameKey = keys.putIfAbsent(isUuid ? columns[0].toLowerCase(Locale.ROOT) : columns[0], line);
            Integer sameNumber = numbers.putIfAbsent(entry.number(), line);
            if (sameKey != null) {
                errors.add("lines " + sameKey + " and " + line + " are both about " + columns[0]);
            } else if (sameNumber != null) {
                errors.add("lines " + sameNumber + " and " + line + " both have the number " + entry.number());
            }
            entries.add(entry);
        }
        if (!errors.isEmpty()) {
            int more = errors.size() - ERRORS_SHOWN;
            throw new CommandException("This is not a vtpm.db that can be used: "
                    + String.join("; ", errors.subList(0, Math.min(errors.size(), ERRORS_SHOWN)))
                    + (more > 0 ? "; and " + more + " more" : ""));
        }
        return entries;
    }
}
