package org.vtpm.shell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:transport}. */
@Service
@Command(
        scope = "vtpm",
        name = "transport",
        description = "Shows which transport carries each instance's commands, or moves an instance to another one.",
        detailedDescription = "Examples: vtpm:transport; vtpm:transport demo; vtpm:transport demo loopback;"
                + " vtpm:transport demo default")
public final class Transport implements Action {
    /** What an operator calls the choice to have no choice. */
    static final String DEFAULT = "default";

    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Argument(name = "name", description = "Name or UUID of the instance. Default: all")
    @Completion(InstanceNames.class)
    private @Nullable String name;

    @Argument(
            name = "transport",
            description = "Transport to move it to; 'default' for the one the host prefers",
            index = 1,
            multiValued = true)
    @Completion(TransportNames.class)
    private @Nullable List<String> words;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> choice = Words.takeOptions(this, words);
        if (choice.size() > 1) {
            Words.none(choice.subList(1, choice.size()));
        }
        VtpmManager host = Instances.managedBy(manager);
        List<InstanceInfo> shown = new ArrayList<>();
        if (name == null) {
            shown.addAll(host.instances());
        } else {
            InstanceInfo instance = Instances.find(host, name);
            shown.add(choice.isEmpty() ? instance : move(host, instance, choice.get(0)));
        }
        if (json) {
            System.out.println(Json.write(members(shown)));
        } else {
            table(shown).print(System.out);
        }
        return null;
    }

    /** The transport that carries an instance now, and the one that was chosen for it if that is another. */
    static String describe(InstanceInfo instance) {
        String chosen = instance.record().transport();
        String now = instance.transport();
        if (now == null) {
            return chosen == null ? "-" : "- (" + chosen + " when it runs)";
        }
        return chosen == null || chosen.equals(now) ? now : now + " (" + chosen + " is not available)";
    }

    private static InstanceInfo move(VtpmManager host, InstanceInfo instance, String transport)
            throws CommandException {
        return Instances.ask(
                () -> host.useTransport(instance.record().uuid(), transport.equals(DEFAULT) ? null : transport));
    }

    private static List<Object> members(List<InstanceInfo> instances) {
        List<Object> elements = new ArrayList<>();
        for (InstanceInfo instance : instances) {
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            members.put("name", instance.record().name());
            members.put("uuid", instance.record().uuid().toString());
            members.put("transport", instance.transport());
            members.put("chosenTransport", instance.record().transport());
            elements.add(members);
        }
        return elements;
    }

    private static ShellTable table(List<InstanceInfo> instances) {
        ShellTable table =
                Tables.withColumns("Name", "State", "Transport", "Chosen by").emptyTableText("No instances yet");
        for (InstanceInfo instance : instances) {
            table.addRow()
                    .addContent(
                            instance.record().name(),
                            instance.state(),
                            describe(instance),
                            instance.record().transport() == null ? "the host's default" : "an operator");
        }
        return table;
    }
}
