package org.vtpm.shell;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
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
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.KeyVault;
import org.vtpm.api.storage.RootAdministration;
import org.vtpm.api.storage.StateSnapshot;
import org.vtpm.api.storage.StorageAdministration;
import org.vtpm.api.storage.StorageAdministration.KeyLevel;
import org.vtpm.api.storage.StorageAdministration.ReplayPolicy;
import org.vtpm.api.storage.StorageStatus;

/** {@code vtpm:storage}. */
@Service
@Command(
        scope = "vtpm",
        name = "storage",
        description = "Shows, checks and changes the storage that keeps all instances' state.",
        detailedDescription = "Actions: status; verify; compact; snapshot INSTANCE NAME; snapshots INSTANCE;"
                + " restore INSTANCE NAME; drop INSTANCE NAME; rotate host|wrapping|data; replay strict|audit;"
                + " operator-key FILE; host-key [--out FILE]; revert INSTANCE (--out FILE | --signature FILE | --sign FILE)."
                + " Example: vtpm:storage snapshot web before-update; vtpm:storage snapshots web")
public final class Storage implements Action {
    /** What is done, and the options and words that belong to it. */
    enum Task {
        STATUS("", "--json"),
        VERIFY(""),
        COMPACT(""),
        SNAPSHOT("INSTANCE NAME"),
        SNAPSHOTS("INSTANCE", "--json"),
        RESTORE("INSTANCE NAME"),
        DROP("INSTANCE NAME"),
        ROTATE("host|wrapping|data"),
        REPLAY("strict|audit"),
        OPERATOR_KEY("FILE"),
        HOST_KEY("", Signing.OUT),
        REVERT("INSTANCE", Signing.OUT, Signing.SIGNATURE, Signing.KEY);

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

    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Option(name = Signing.OUT, description = Signing.OUT_HELP + ", or for the host's public key")
    @Completion(FileCompleter.class)
    private @Nullable String out;

    @Option(name = Signing.SIGNATURE, description = Signing.SIGNATURE_HELP)
    @Completion(FileCompleter.class)
    private @Nullable String signature;

    @Option(name = Signing.KEY, description = Signing.KEY_HELP)
    @Completion(FileCompleter.class)
    private @Nullable String signingKey;

    @Argument(
            name = "action",
            description = "status, verify, compact, snapshot, snapshots, restore, drop, rotate, replay, operator-key,"
                    + " host-key or revert",
            required = true)
    @Completion(
            value = StringsCompleter.class,
            values = {
                "status",
                "verify",
                "compact",
                "snapshot",
                "snapshots",
                "restore",
                "drop",
                "rotate",
                "replay",
                "operator-key",
                "host-key",
                "revert"
            })
    private String action;

    @Argument(name = "words", description = "What the action needs", index = 1, multiValued = true)
    @Completion(StorageWords.class)
    private @Nullable List<String> words;

    @Reference(optional = true)
    private @Nullable StorageAdministration administration;

    @Reference(optional = true)
    private @Nullable RootAdministration roots;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Reference(optional = true)
    private @Nullable KeyVault vault;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> arguments = Words.takeOptions(this, words);
        Task task = Words.constant(Task.class, "The action of vtpm:storage", action);
        Words.onlyOptions(this, "vtpm:storage " + action, task.options());
        Words.exactly(
                arguments,
                "vtpm:storage " + action + " " + task.usage,
                task.usage.isEmpty() ? 0 : task.usage.split(" ").length);
        StorageAdministration storage = open();
        switch (task) {
            case STATUS -> status(storage);
            case VERIFY -> verify(storage);
            case COMPACT -> {
                Instances.tell(storage::compact);
                System.out.println("Compacted");
            }
            case ROTATE -> {
                KeyLevel level = Words.constant(KeyLevel.class, "The level of keys", arguments.get(0));
                Instances.tell(() -> storage.rotate(level));
                System.out.println("Made new keys: " + Words.label(level));
            }
            case REPLAY -> {
                ReplayPolicy policy = Words.constant(ReplayPolicy.class, "The replay policy", arguments.get(0));
                Instances.tell(() -> storage.replayPolicy(policy));
                System.out.println("Replay policy from the next opening on: " + Words.label(policy));
            }
            case OPERATOR_KEY -> {
                byte[] key = OperatorKey.readPublic(HostFile.named(arguments.get(0)));
                Instances.tell(() -> storage.operatorKey(key));
                System.out.println("Operator's key set; SHA-256 " + Certificate.sha256(key));
            }
            case HOST_KEY -> hostKey(Instances.ask(storage::hostKey));
            case REVERT -> revert(storage, arguments.get(0));
            case SNAPSHOT, SNAPSHOTS, RESTORE, DROP -> ofInstance(task, arguments);
        }
        return null;
    }

    private StorageAdministration open() throws CommandException {
        if (administration == null) {
            Root.administered(roots);
            throw new CommandException("The storage is closed: no root of trust opens it, or it cannot be read."
                    + " log:display says why, vtpm:root status what each root of trust misses");
        }
        return administration;
    }

    private void ofInstance(Task task, List<String> arguments) throws CommandException {
        VtpmManager host = Instances.managedBy(manager);
        InstanceInfo instance = Instances.find(host, arguments.get(0));
        UUID uuid = instance.record().uuid();
        String name = instance.record().name();
        String snapshot = arguments.get(arguments.size() - 1);
        switch (task) {
            case SNAPSHOT -> {
                Instances.tell(() -> host.takeStateSnapshot(uuid, snapshot));
                System.out.println(name + ": snapshot " + snapshot + " taken");
            }
            case SNAPSHOTS -> snapshots(Instances.ask(() -> host.stateSnapshots(uuid)));
            case RESTORE -> {
                InstanceInfo restored = Instances.ask(() -> host.restoreStateSnapshot(uuid, snapshot));
                System.out.println(name + ": restored from snapshot " + snapshot);
                System.out.println(Instances.line(restored));
            }
            default -> {
                Instances.tell(() -> host.dropStateSnapshot(uuid, snapshot));
                System.out.println(name + ": snapshot " + snapshot + " dropped");
            }
        }
    }

    /** Also for a TPM that runs elsewhere, and has only its key here: the manager does not know it. */
    private void revert(StorageAdministration storage, String word) throws CommandException {
        Optional<UUID> elsewhere = vault == null
                ? Optional.empty()
                : vault.owners().stream()
                        .filter(each -> each.toString().equalsIgnoreCase(word))
                        .findFirst();
        if (elsewhere.isPresent()) {
            revert(storage, elsewhere.get(), word, "; start its domain again");
            return;
        }
        InstanceInfo instance = Instances.find(Instances.managedBy(manager), word);
        String name = instance.record().name();
        revert(storage, instance.record().uuid(), name, "; vtpm:start " + name);
    }

    private void revert(StorageAdministration storage, UUID instance, String name, String next)
            throws CommandException {
        Signing signing = Signing.by(out, signature, signingKey);
        byte[] token = Instances.ask(() -> storage.revertToken(instance));
        if (out != null) {
            System.out.println("To be signed, once for this state:");
            new String(token, StandardCharsets.UTF_8).lines().forEach(line -> System.out.println("  " + line));
        }
        Optional<byte[]> signed = signing.over(token, "vtpm:storage revert " + name);
        if (signed.isPresent()) {
            Instances.tell(() -> storage.revert(instance, signed.get()));
            System.out.println(name + ": may go on with the state that is there" + next);
        }
    }

    /** With a file, only the fingerprint is printed, which is to be compared where the file goes. */
    private void hostKey(byte[] key) throws CommandException {
        if (out == null) {
            System.out.print(HostKey.pem(key));
        } else {
            Path file = HostFile.named(out);
            HostFile.writeNew(file, HostKey.pem(key).getBytes(StandardCharsets.US_ASCII));
            System.out.println("This host's public key for bundles written to " + file);
        }
        System.out.println("SHA-256 " + Certificate.sha256(key));
    }

    private static void verify(StorageAdministration storage) throws CommandException {
        List<String> findings = Instances.ask(storage::verify);
        if (findings.isEmpty()) {
            System.out.println("All records and the hash tree are as they should be");
            return;
        }
        findings.forEach(System.out::println);
        throw new CommandException("The storage is not as it should be: findings: " + findings.size()
                + ". Copy its folder before anything else is done to it");
    }

    private void snapshots(List<StateSnapshot> snapshots) {
        if (json) {
            List<Object> elements = new ArrayList<>();
            for (StateSnapshot snapshot : snapshots) {
                Map<String, @Nullable Object> members = new LinkedHashMap<>();
                members.put("name", snapshot.name());
                members.put("taken", snapshot.taken().toString());
                elements.add(members);
            }
            System.out.println(Json.write(elements));
            return;
        }
        ShellTable table = Tables.withColumns("Name", "Taken").emptyTableText("No snapshots");
        for (StateSnapshot snapshot : snapshots) {
            table.addRow().addContent(snapshot.name(), snapshot.taken().truncatedTo(ChronoUnit.SECONDS));
        }
        table.print(System.out);
    }

    private void status(StorageAdministration storage) {
        StorageStatus status = storage.status();
        if (json) {
            System.out.println(Json.write(members(status)));
        } else {
            table(status).print(System.out);
        }
    }

    private ShellTable table(StorageStatus status) {
        ShellTable table = Tables.withColumns("Property", "Value").noHeaders();
        table.addRow().addContent("Folder", status.folder());
        table.addRow().addContent("Instances", status.instances());
        table.addRow().addContent("Live bytes", status.liveBytes());
        table.addRow().addContent("Dead bytes", status.deadBytes());
        table.addRow().addContent("Changes since it was opened", status.commits());
        table.addRow().addContent("Wrapping key", status.wrappingGeneration());
        table.addRow().addContent("Replay policy", Words.label(status.replayPolicy()));
        table.addRow().addContent("Anchor", anchor(status));
        if (!status.problem().isEmpty()) {
            table.addRow().addContent("Problem", status.problem());
        }
        if (!status.refused().isEmpty()) {
            table.addRow().addContent("Refused as old", String.join("\n", refused(status)));
        }
        return table;
    }

    private static String anchor(StorageStatus status) {
        if (status.anchorRoot().isEmpty()) {
            return "none; nothing tells when an older folder is put back";
        }
        String counter = status.anchor().isPresent()
                ? ", counter " + status.anchor().getAsLong() + ", changes since " + status.unanchored()
                : ", not anchored yet";
        return status.anchorRoot() + counter;
    }

    /** Instances by name where the manager knows them. */
    private List<String> refused(StorageStatus status) {
        List<String> names = new ArrayList<>();
        for (UUID uuid : status.refused()) {
            names.add(
                    manager == null
                            ? uuid.toString()
                            : manager.find(uuid)
                                    .map(instance -> instance.record().name())
                                    .orElse(uuid.toString()));
        }
        return names;
    }

    private static Map<String, @Nullable Object> members(StorageStatus status) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("folder", status.folder());
        members.put("instances", status.instances());
        members.put("liveBytes", status.liveBytes());
        members.put("deadBytes", status.deadBytes());
        members.put("commits", status.commits());
        members.put("wrappingGeneration", status.wrappingGeneration());
        members.put("replayPolicy", Words.label(status.replayPolicy()));
        members.put("anchorRoot", status.anchorRoot().isEmpty() ? null : status.anchorRoot());
        members.put("anchor", status.anchor().isPresent() ? status.anchor().getAsLong() : null);
        members.put("unanchored", status.unanchored());
        members.put("refused", status.refused().stream().map(UUID::toString).toList());
        members.put("problem", status.problem().isEmpty() ? null : status.problem());
        return members;
    }
}
