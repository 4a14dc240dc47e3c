package org.vtpm.shell;

import java.lang.reflect.Field;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;

/** Understands the words an operator typed after a command's name. */
final class Words {
    /** What help says of the argument that takes such options. */
    static final String TRAILING_OPTIONS = "Options may also stand here";

    /** What help says of arguments and options that several commands have. */
    static final String INSTANCES = "Names or UUIDs of instances";

    static final String NEW_NAME = "Name of the new instance: letters, digits, dots, dashes and underscores";
    static final String IDENTITY = "Identity of the instance. Default: a random one";
    static final String ISOLATION =
            "shared: the engine runs in the manager's JVM; process: in a process of its own. Default: what the host is"
                    + " configured for";
    static final String STARTUP =
            "What is done at each power-on: clear, state or deactivated send that TPM_Startup; none leaves it to the"
                    + " guest's firmware";
    static final String ENDPOINT =
            "Guest-facing address, such as tcp:127.0.0.1:6545 or unix:/run/guest.sock; may be repeated";

    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9@%+=:,./_-]+");

    private Words() {}

    /**
     * Sets a command's option fields from those words that are options, and returns the others. Karaf takes everything
     * after the first argument for an argument, while operators write {@code vtpm:create NAME --endpoint URI}.
     *
     * @param command its options are fields of type boolean, String or List of String
     * @param words as Karaf handed them over, or null if there were none
     */
    static List<String> takeOptions(Action command, @Nullable List<String> words) throws CommandException {
        List<String> arguments = new ArrayList<>();
        Iterator<String> rest = words == null ? List.<String>of().iterator() : words.iterator();
        while (rest.hasNext()) {
            String word = rest.next();
            if (!word.startsWith("-")) {
                arguments.add(word);
                continue;
            }
            int equals = word.indexOf('=');
            String name = equals < 0 ? word : word.substring(0, equals);
            Field field = optionField(command, name);
            if (field.getType() == boolean.class && equals < 0) {
                set(command, field, true);
            } else if (equals >= 0) {
                set(command, field, word.substring(equals + 1));
            } else if (rest.hasNext()) {
                set(command, field, rest.next());
            } else {
                throw new CommandException("Missing value for option: " + name);
            }
        }
        return arguments;
    }

    /**
     * Checks that a command with several actions was given no option of another action.
     *
     * @param command its options' fields are false, null or empty if they were not given
     * @param what names the action, as in: vtpm:root list takes no --pcrs
     */
    static void onlyOptions(Action command, String what, Set<String> allowed) throws CommandException {
        for (Field field : command.getClass().getDeclaredFields()) {
            Option option = field.getAnnotation(Option.class);
            if (option != null && !allowed.contains(option.name()) && wasGiven(command, field)) {
                throw new CommandException(what + " takes no " + option.name());
            }
        }
    }

    private static boolean wasGiven(Action command, Field field) throws CommandException {
        field.setAccessible(true);
        try {
            Object value = field.get(command);
            return value instanceof Boolean flag
                    ? flag
                    : value instanceof List<?> list ? !list.isEmpty() : value != null;
        } catch (IllegalAccessException e) {
            throw new CommandException(
                    "Cannot read an option of " + command.getClass().getName(), e);
        }
    }

    /** Checks that there are as many words as a command has uses for. */
    static void exactly(List<String> words, String usage, int count) throws CommandException {
        if (words.size() < count) {
            throw new CommandException("Too few arguments: " + usage);
        }
        none(words.subList(count, words.size()));
    }

    /** A file's name as shells take it. */
    static String quoted(Path file) {
        String name = file.toString();
        return PLAIN.matcher(name).matches() ? name : "'" + name.replace("'", "'\\''") + "'";
    }

    /** Checks that no words were left over. */
    static void none(List<String> words) throws CommandException {
        if (!words.isEmpty()) {
            throw new CommandException("Too many arguments: " + String.join(" ", words));
        }
    }

    /** The constant of an enumeration that an operator wrote in lower case. */
    static <E extends Enum<E>> E constant(Class<E> type, String option, String word) throws CommandException {
        for (E constant : type.getEnumConstants()) {
            if (label(constant).equals(word)) {
                return constant;
            }
        }
        String choices =
                Arrays.stream(type.getEnumConstants()).map(Words::label).collect(Collectors.joining(", "));
        throw new CommandException(option + " is one of " + choices + ", not '" + word + "'");
    }

    /** How an operator writes a constant. */
    static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** An endpoint's address. Whether a listener can serve it is the manager's to say. */
    static URI endpoint(String word) throws CommandException {
        try {
            URI uri = new URI(word);
            if (uri.getScheme() != null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            throw new CommandException("'" + word + "' is not an address: " + e.getReason(), e);
        }
        throw new CommandException("'" + word
                + "' names no kind of endpoint; an address looks like tcp:127.0.0.1:6545 or" + " unix:/run/guest.sock");
    }

    /** The addresses of several endpoints. */
    static List<URI> endpoints(List<String> words) throws CommandException {
        List<URI> endpoints = new ArrayList<>();
        for (String word : words) {
            endpoints.add(endpoint(word));
        }
        return endpoints;
    }

    /** An instance's identity. */
    static UUID uuid(String word) throws CommandException {
        try {
            UUID parsed = UUID.fromString(word);
            // UUID.fromString also takes shortened groups.
            if (parsed.toString().equalsIgnoreCase(word)) {
                return parsed;
            }
        } catch (IllegalArgumentException e) {
            throw notUuid(word, e);
        }
        throw notUuid(word, null);
    }

    private static CommandException notUuid(String word, @Nullable Throwable cause) {
        return new CommandException(
                "--uuid is 32 hexadecimal digits in groups of 8-4-4-4-12, not '" + word + "'", cause);
    }

    private static Field optionField(Action command, String name) throws CommandException {
        for (Field field : command.getClass().getDeclaredFields()) {
            Option option = field.getAnnotation(Option.class);
            if (option != null
                    && (option.name().equals(name) || List.of(option.aliases()).contains(name))) {
                return field;
            }
        }
        throw new CommandException("Undefined option: " + name + "; --help lists the options");
    }

    private static void set(Action command, Field field, Object value) throws CommandException {
        field.setAccessible(true);
        try {
            if (field.getType() == List.class) {
                List<Object> values = new ArrayList<>((List<?>) field.get(command));
                values.add(value);
                field.set(command, values);
            } else if (field.getType() == boolean.class) {
                field.setBoolean(command, Boolean.parseBoolean(value.toString()));
            } else {
                field.set(command, value);
            }
        } catch (IllegalAccessException e) {
            throw new CommandException(
                    "Cannot set an option of " + command.getClass().getName(), e);
        }
    }
}
