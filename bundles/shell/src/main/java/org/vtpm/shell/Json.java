package org.vtpm.shell;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes JSON (RFC 8259) for scripts, two spaces to a level. */
final class Json {
    private final StringBuilder text = new StringBuilder();

    private Json() {}

    /** @param value a Map, List, String, Boolean, Integer, Long or null, all the way down */
    static String write(@Nullable Object value) {
        Json json = new Json();
        json.value(value, 0);
        return json.text.toString();
    }

    private void value(@Nullable Object value, int level) {
        if (value instanceof Map<?, ?> map) {
            object(map, level);
        } else if (value instanceof List<?> list) {
            array(list, level);
        } else if (value instanceof String string) {
            string(string);
        } else if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Long) {
            text.append(value);
        } else {
            throw new IllegalArgumentException("no JSON for " + value.getClass().getName());
        }
    }

    private void object(Map<?, ?> members, int level) {
        String separator = "";
        text.append('{');
        for (Map.Entry<?, ?> member : members.entrySet()) {
            text.append(separator);
            newLine(level + 1);
            string((String) member.getKey());
            text.append(": ");
            value(member.getValue(), level + 1);
            separator = ",";
        }
        if (!members.isEmpty()) {
            newLine(level);
        }
        text.append('}');
    }

    private void array(List<?> elements, int level) {
        String separator = "";
        text.append('[');
        for (Object element : elements) {
            text.append(separator);
            newLine(level + 1);
            value(element, level + 1);
            separator = ",";
        }
        if (!elements.isEmpty()) {
            newLine(level);
        }
        text.append(']');
    }

    private void newLine(int level) {
        text.append('\n').append("  ".repeat(level));
    }

    private void string(String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                default -> {
                    // A lone half of a surrogate pair has no UTF-8 form; other control characters have no short escape.
                    if (c < 0x20 || c == 0x7F || Character.isSurrogate(c)) {
                        text.append(String.format("\\u%04x", (int) c));
                    } else {
                        text.append(c);
                    }
                }
            }
        }
        text.append('"');
    }
}
