package org.vtpm.shell;

import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:list}. */
@Service
@Command(
        scope = "vtpm",
        name = "list",
        description = "Lists the host's instances.",
        detailedDescription = "Example: vtpm:list --json")
public final class ListInstances implements Action {
    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<InstanceInfo> instances = Instances.managedBy(manager).instances();
        if (json) {
            System.out.println(Json.write(InstanceJson.of(instances)));
        } else {
            table(instances).print(System.out);
        }
        return null;
    }

    private static ShellTable table(List<InstanceInfo> instances) {
        ShellTable table = Tables.withColumns("Name", "State", "Family", "Transport", "Endpoints", "UUID")
                .emptyTableText("No instances yet. Try: vtpm:create demo --endpoint tcp:127.0.0.1:6545");
        for (InstanceInfo instance : instances) {
            table.addRow()
                    .addContent(
                            instance.record().name(),
                            instance.state(),
                            instance.record().family().label(),
                            instance.transport() == null ? "-" : instance.transport(),
                            endpoints(instance),
                            instance.record().uuid());
        }
        return table;
    }

    private static String endpoints(InstanceInfo instance) {
        List<String> endpoints = new ArrayList<>();
        for (EndpointInfo endpoint : instance.endpoints()) {
            endpoints.add(endpoint.problem() == null ? endpoint.uri().toString() : endpoint.uri() + " (not served)");
        }
        return endpoints.isEmpty() ? "-" : String.join(" ", endpoints);
    }
}
