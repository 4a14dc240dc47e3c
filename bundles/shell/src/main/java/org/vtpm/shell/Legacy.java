package org.vtpm.shell;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.completers.FileCompleter;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.KeyVault;

/** {@code vtpm:legacy}. */
@Service
@Command(
        scope = "vtpm",
        name = "legacy",
        description =
                "Shows which instances have numbers of the Xen 3.x vTPM manager, and takes such numbers over; shows"
                        + " which TPMs in domains of their own have keys here.",
        detailedDescription =
                "Actions: list; import FILE [--create] [--dry-run]; keys; forget UUID. Example: vtpm:legacy import /var/vtpm/vtpm.db --dry-run")
public final class Legacy implements Action {
    private static final String SCHEME = "legacy";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /** What is done, and the options that belong to it. */
    enum Task {
        LIST("", "--json"),
        IMPORT("FILE", "--create", "--dry-run"),
        KEYS("", "--json"),
        FORGET("UUID");

        private final String usage;
        private final String options;

        Task(String usage, String... options) {
            this.usage = usage;
            this.options = String.join(" ", options);
        }

        Set<String> options() {
            return Set.of(options.split(" "));
        }
    }

    /** What an entry of vtpm.db comes to. */
    private enum Outcome {
        ATTACH("gets the number"),
        PRESENT("has the number already"),
        CREATE("is made, with a new TPM"),
        MISSING("there is no such instance: left out"),
        CONFLICT("");

        private final String words;

        Outcome(String words) {
            this.words = words;
        }
    }

    /**
     * What is to be done about an entry.
     *
     * @param instance its name, or that which it gets; empty if there is none
     * @param problem what contradicts it; empty if nothing does
     */
    private record Step(VtpmDb.Entry entry, Outcome outcome, String instance, String problem) {
        URI endpoint() {
            return endpointOf(entry.number());
        }
    }

    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Option(
            name = "--create",
            description = "Make an instance with a new TPM for each entry that has none, with its UUID or name")
    private boolean create;

    @Option(name = "--dry-run", description = "Only tell what would be done")
    private boolean dryRun;

    @Argument(name = "action", description = "list, import, keys or forget", required = true)
    @Completion(
            value = StringsCompleter.class,
            values = {"list", "import", "keys", "forget"})
    private String action;

    @Argument(
            name = "words",
            description =
                    "The file vtpm.db of the hotplug scripts, such as /var/vtpm/vtpm.db; it stays as it is. Or the UUID"
                            + " of the TPM whose key is deleted for good, and with it that TPM",
            index = 1,
            multiValued = true)
    @Completion(FileCompleter.class)
    private @Nullable List<String> words;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Reference(optional = true)
    private @Nullable KeyVault vault;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> arguments = Words.takeOptions(this, words);
        Task task = Words.constant(Task.class, "The action of vtpm:legacy", action);
        Words.onlyOptions(this, "vtpm:legacy " + action, task.options());
        Words.exactly(arguments, "vtpm:legacy " + action + " " + task.usage, task.usage.isEmpty() ? 0 : 1);
        switch (task) {
            case LIST -> list(Instances.managedBy(manager).instances());
            case IMPORT -> importFile(Instances.managedBy(manager), HostFile.named(arguments.get(0)));
            case KEYS -> keys(opened());
            case FORGET -> forget(opened(), arguments.get(0));
        }
        return null;
    }

    private KeyVault opened() throws CommandException {
        if (vault == null) {
            throw new CommandException("The storage is closed. vtpm:root status tells what keeps it so");
        }
        return vault;
    }

    private void keys(KeyVault open) {
        List<Object> owners = new ArrayList<>();
        open.owners().forEach(owner -> owners.add(owner.toString()));
        if (json) {
            System.out.println(Json.write(owners));
            return;
        }
        ShellTable table = Tables.withColumns("UUID").emptyTableText("No TPM in a domain of its own has a key here");
        owners.forEach(owner -> table.addRow().addContent(owner));
        table.print(System.out);
    }

    private static void forget(KeyVault open, String word) throws CommandException {
        UUID owner = open.owners().stream()
                .filter(each -> each.toString().equalsIgnoreCase(word))
                .findFirst()
                .orElseThrow(() -> new CommandException(
                        "No TPM '" + word + "' has a key here; vtpm:legacy keys shows those that have"));
        Instances.tell(() -> open.delete(owner));
        System.out.println(owner + ": key deleted");
    }

    private static URI endpointOf(long number) {
        return URI.create(SCHEME + ":" + number);
    }

    private void list(List<InstanceInfo> instances) {
        Map<Long, InstanceInfo> numbered = new TreeMap<>();
        for (InstanceInfo instance : instances) {
            for (URI endpoint : instance.record().endpoints()) {
                if (SCHEME.equals(endpoint.getScheme())) {
                    numbered.put(Long.parseLong(endpoint.getSchemeSpecificPart()), instance);
                }
            }
        }
        if (json) {
            System.out.println(Json.write(members(numbered)));
            return;
        }
        ShellTable table = Tables.withColumns("Number", "UUID", "Name", "State", "Served")
                .emptyTableText("No instance has a number. vtpm:attach NAME legacy:1 gives one");
        numbered.forEach((number, instance) -> table.addRow()
                .addContent(
                        number,
                        instance.record().uuid(),
                        instance.record().name(),
                        instance.state(),
                        isServed(number, instance) ? "yes" : "no"));
        table.print(System.out);
    }

    private static List<Object> members(Map<Long, InstanceInfo> numbered) {
        List<Object> elements = new ArrayList<>();
        numbered.forEach((number, instance) -> {
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            members.put("number", number);
            members.put("uuid", instance.record().uuid().toString());
            members.put("name", instance.record().name());
            members.put("state", instance.state().name());
            members.put("served", isServed(number, instance));
            elements.add(members);
        });
        return elements;
    }

    private static boolean isServed(long number, InstanceInfo instance) {
        URI endpoint = endpointOf(number);
        return instance.endpoints().stream().anyMatch(each -> each.uri().equals(endpoint) && each.open());
    }

    /** Either no entry contradicts what is here, or nothing is done. */
    private void importFile(VtpmManager host, Path file) throws CommandException {
        List<VtpmDb.Entry> entries = VtpmDb.parse(HostFile.read(file, VtpmDb.LONGEST));
        List<InstanceInfo> instances = host.instances();
        List<Step> steps = new ArrayList<>();
        for (VtpmDb.Entry entry : entries) {
            steps.add(plan(entry, instances));
        }
        table(steps).print(System.out);
        if (steps.stream().anyMatch(step -> step.outcome() == Outcome.CONFLICT)) {
            throw new CommandException("Nothing was changed, since entries contradict what is here; correct " + file
                    + ", or detach the numbers with vtpm:detach");
        }
        if (dryRun) {
            System.out.println("Nothing was changed");
            return;
        }
        List<String> failures = new ArrayList<>();
        for (Step step : steps) {
            try {
                carryOut(host, step);
            } catch (VtpmException e) {
                failures.add("line " + step.entry().line() + ": " + e.getMessage());
            }
        }
        System.out.println("Numbers taken over: "
                + (count(steps, Outcome.ATTACH) + count(steps, Outcome.CREATE) - failures.size()) + ", there already: "
                + count(steps, Outcome.PRESENT) + ", left out: " + count(steps, Outcome.MISSING));
        if (!failures.isEmpty()) {
            throw new CommandException(String.join("\n", failures));
        }
    }

    private static long count(List<Step> steps, Outcome outcome) {
        return steps.stream().filter(step -> step.outcome() == outcome).count();
    }

    private Step plan(VtpmDb.Entry entry, List<InstanceInfo> instances) {
        Optional<InstanceRecord> meant = find(
                instances,
                each -> entry.uuid() == null
                        ? each.name().equals(entry.key())
                        : each.uuid().equals(entry.uuid()));
        Optional<InstanceRecord> holder =
                find(instances, each -> each.endpoints().contains(endpointOf(entry.number())));
        String name = meant.map(InstanceRecord::name).orElseGet(() -> newName(entry));
        if (holder.isPresent()) {
            return holder.equals(meant)
                    ? new Step(entry, Outcome.PRESENT, name, "")
                    : conflict(
                            entry,
                            name,
                            "the number belongs to instance " + holder.get().name());
        }
        if (meant.isPresent()) {
            return meant.get().endpoints().stream()
                    .filter(endpoint -> SCHEME.equals(endpoint.getScheme()))
                    .findFirst()
                    .map(other -> conflict(entry, name, "it has another number: " + other))
                    .orElseGet(() -> new Step(entry, Outcome.ATTACH, name, ""));
        }
        if (!create) {
            return new Step(entry, Outcome.MISSING, "", "");
        }
        if (!NAME.matcher(name).matches()) {
            return conflict(entry, "", "no instance can have this name");
        }
        return find(instances, each -> each.name().equals(name)).isPresent()
                ? conflict(entry, name, "there is another instance " + name)
                : new Step(entry, Outcome.CREATE, name, "");
    }

    private static Step conflict(VtpmDb.Entry entry, String instance, String problem) {
        return new Step(entry, Outcome.CONFLICT, instance, problem);
    }

    /** As the listener names those that an OPEN makes, if the entry has no name. */
    private static String newName(VtpmDb.Entry entry) {
        return entry.uuid() == null ? entry.key() : "vtpm-" + entry.number();
    }

    private static Optional<InstanceRecord> find(List<InstanceInfo> instances, Predicate<InstanceRecord> wanted) {
        return instances.stream().map(InstanceInfo::record).filter(wanted).findFirst();
    }

    private static void carryOut(VtpmManager host, Step step) throws VtpmException {
        switch (step.outcome()) {
            case ATTACH ->
                host.attach(
                        host.find(step.instance())
                                .orElseThrow(() -> gone(step))
                                .record()
                                .uuid(),
                        step.endpoint());
            case CREATE -> {
                // Without an endpoint it is not started: that is for the scripts to order.
                InstanceInfo made = host.create(new NewInstance(
                        step.instance(),
                        step.entry().uuid(),
                        TpmFamily.TPM_1_2,
                        null,
                        StartupMode.CLEAR,
                        true,
                        true,
                        List.of()));
                host.attach(made.record().uuid(), step.endpoint());
            }
            default -> {}
        }
    }

    private static VtpmException gone(Step step) {
        return new VtpmException("instance '" + step.instance() + "' was deleted meanwhile");
    }

    private static ShellTable table(List<Step> steps) {
        ShellTable table = Tables.withColumns("Line", "Number", "UUID or name", "Instance", "Outcome")
                .emptyTableText("No entries");
        for (Step step : steps) {
            table.addRow()
                    .addContent(
                            step.entry().line(),
                            step.entry().number(),
                            step.entry().key(),
                            step.instance().isEmpty() ? "-" : step.instance(),
                            step.outcome() == Outcome.CONFLICT ? "cannot: " + step.problem() : step.outcome().words);
        }
        return table;
    }
}
