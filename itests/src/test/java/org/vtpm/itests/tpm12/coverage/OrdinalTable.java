package org.vtpm.itests.tpm12.coverage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.vtpm.engine.tpm12.chapter.Chapters;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.engine.tpm12.command.Handlers;

/** The table of ordinals: the engine's command table, and what each suite made of every row. */
final class OrdinalTable {
    /** The suites by the heading of their column. */
    private static final Map<String, Path> SUITES = suites();

    private final Handlers handlers = Chapters.handlers();
    private final Map<String, Exercised> exercised = new LinkedHashMap<>();

    private static Map<String, Path> suites() {
        Map<String, Path> suites = new LinkedHashMap<>();
        suites.put("TrouSerS", Exercised.file("trousers"));
        suites.put("beside swtpm", Exercised.file("sidebyside"));
        suites.put("engine's tests", Path.of("../bundles/engine-tpm12/target/exercised/engine.tsv"));
        return suites;
    }

    /** Reads what the suites left behind. */
    static OrdinalTable read() throws IOException {
        OrdinalTable table = new OrdinalTable();
        for (Map.Entry<String, Path> suite : SUITES.entrySet()) {
            table.exercised.put(suite.getKey(), Exercised.load(suite.getValue()));
        }
        return table;
    }

    /** Commands that work, but that no suite saw succeed; TPM_Init is a signal of the platform, and refused by all. */
    List<String> neverCarriedOut() {
        return CommandTable.all().stream()
                .filter(command -> handlers.supports(command.ordinal()))
                .filter(command -> !command.name().equals("Init"))
                .filter(command -> exercised.values().stream()
                        .allMatch(suite -> suite.of(command.ordinal()).succeeded() == 0))
                .map(Command::name)
                .toList();
    }

    /** As Markdown, with the counts of this run. */
    String markdown() {
        String heads = SUITES.keySet().stream().map(name -> " " + name + " |").collect(Collectors.joining());
        String lines = "---|".repeat(SUITES.size());
        return "| ordinal | command | status |" + heads + "\n|---|---|---|" + lines + "\n"
                + CommandTable.all().stream().map(this::row).collect(Collectors.joining());
    }

    /** The same without counts: what changes only when commands or suites do. */
    static String withoutCounts(String markdown) {
        return markdown.replaceAll("\\d+ / \\d+", "yes");
    }

    private String row(Command command) {
        String cells = exercised.values().stream()
                .map(suite -> suite.of(command.ordinal()))
                // What was only ever refused was not exercised; and which of those a random test meets is chance.
                .map(count -> count.succeeded() == 0 ? " |" : " " + count.succeeded() + " / " + count.refused() + " |")
                .collect(Collectors.joining());
        String status = handlers.supports(command.ordinal()) ? "works" : "TPM_BAD_ORDINAL";
        return "| 0x%08X | %s | %s |%s%n".formatted(command.ordinal(), command.name(), status, cells);
    }
}
