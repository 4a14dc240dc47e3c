package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the guide and each command's help say of commands, actions and options is what there is. */
class GuideTest {
    private static final Path SOURCES = Path.of("src/main/java/org/vtpm/shell");
    private static final Path DOCS = Path.of("../../docs");

    static List<Class<?>> commands() throws Exception {
        List<Class<?>> commands = new ArrayList<>();
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString().replace(".java", "");
                if (!name.equals("package-info")) {
                    commands.add(Class.forName("org.vtpm.shell." + name));
                }
            }
        }
        commands.removeIf(each -> !each.isAnnotationPresent(Command.class));
        return commands;
    }

    @Test
    void thereAreCommands() throws Exception {
        assertThat(commands()).contains(Create.class, Legacy.class, Xen.class).hasSizeGreaterThan(15);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theGuideListsTheCommand(Class<?> command) throws Exception {
        String name = command.getAnnotation(Command.class).name();
        assertThat(Files.readString(DOCS.resolve("operating.md")))
                .containsPattern("(?m)^\\|.*`vtpm:" + name + "\\b.*\\|");
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theDocsTellOfEachOption(Class<?> command) throws Exception {
        String docs = docs();
        assertThat(options(command)).allSatisfy(option -> assertThat(docs).containsPattern(option + "\\b"));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theGuideTellsWhatPrintsJson(Class<?> command) throws Exception {
        String json = Files.readString(DOCS.resolve("operating.md"))
                .replaceAll("(?s)^.*?\n\n([^\n]*\n?[^\n]*print JSON).*$", "$1");
        String name = command.getAnnotation(Command.class).name();
        assertThat(json.contains("`" + name + "`") || json.contains("`" + name + " "))
                .as(json)
                .isEqualTo(options(command).contains("--json"));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helpAndCompletionNameEachAction(Class<?> command) throws Exception {
        Field action = Arrays.stream(command.getDeclaredFields())
                .filter(each -> each.getName().equals("action"))
                .findFirst()
                .orElse(null);
        if (action == null) {
            return;
        }
        Class<?> tasks = Arrays.stream(command.getDeclaredClasses())
                .filter(each -> each.getSimpleName().equals("Task"))
                .findFirst()
                .orElseThrow();
        List<String> labels = Arrays.stream(tasks.getEnumConstants())
                .map(task -> Words.label((Enum<?>) task))
                .toList();
        assertThat(action.getAnnotation(Completion.class).values()).containsExactlyElementsOf(labels);
        assertThat(action.getAnnotation(Argument.class).description().split(", | or "))
                .containsExactlyElementsOf(labels);
        String details = command.getAnnotation(Command.class).detailedDescription();
        assertThat(labels).allSatisfy(label -> assertThat(details).containsPattern("(: |; )" + label + "\\b"));
    }

    private static List<String> options(Class<?> command) {
        return Arrays.stream(command.getDeclaredFields())
                .map(field -> field.getAnnotation(Option.class))
                .filter(Objects::nonNull)
                .map(Option::name)
                .toList();
    }

    private static String docs() throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(DOCS)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".md")).toList()) {
                all.append(Files.readString(file));
            }
        }
        return all.toString();
    }
}
