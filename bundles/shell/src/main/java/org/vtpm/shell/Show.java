package org.vtpm.shell;

import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
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
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:show}. */
@Service
@Command(
        scope = "vtpm",
        name = "show",
        description = "Shows all there is to know of an instance.",
        detailedDescription = "Example: vtpm:show demo --json")
public final class Show implements Action {
    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Option(
            name = "--ek-cert",
            description =
                    "File on the manager's host to write the endorsement key's certificate to, as PEM; - prints it")
    private @Nullable String certificateFile;

    @Argument(name = "name", description = "Name or UUID of the instance", required = true)
    @Completion(InstanceNames.class)
    private String name;

    @Argument(name = "options", description = Words.TRAILING_OPTIONS, index = 1, multiValued = true)
    private @Nullable List<String> words;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        Words.none(Words.takeOptions(this, words));
        VtpmManager host = Instances.managedBy(manager);
        InstanceInfo instance = Instances.find(host, name);
        Endorsement endorsement = Endorsement.of(instance, host);
        if (certificateFile != null) {
            endorsement.writeCertificate(instance.record().name(), certificateFile);
        } else if (json) {
            Map<String, @Nullable Object> members = InstanceJson.of(instance);
            members.put("endorsement", endorsement.json());
            System.out.println(Json.write(members));
        } else {
            ShellTable table = table(instance);
            endorsement.addTo(table);
            table.print(System.out);
        }
        return null;
    }

    private static ShellTable table(InstanceInfo instance) {
        InstanceRecord instanceRecord = instance.record();
        ShellTable table = Tables.withColumns("Property", "Value").noHeaders();
        table.addRow().addContent("Name", instanceRecord.name());
        table.addRow().addContent("UUID", instanceRecord.uuid());
        table.addRow().addContent("Family", instanceRecord.family().label());
        table.addRow().addContent("State", instance.state());
        if (instance.reason() != null) {
            table.addRow().addContent("Reason", instance.reason());
        }
        table.addRow().addContent("Isolation", Words.label(instanceRecord.isolation()));
        table.addRow().addContent("Startup", Words.label(instanceRecord.startup()));
        table.addRow().addContent("Transport", Transport.describe(instance));
        if (instance.pid().isPresent()) {
            table.addRow().addContent("Process", instance.pid().getAsLong());
        }
        table.addRow().addContent("Commands", instance.commands());
        table.addRow().addContent("Created", instanceRecord.created().truncatedTo(ChronoUnit.SECONDS));
        List<String> endpoints = new ArrayList<>();
        for (EndpointInfo endpoint : instance.endpoints()) {
            endpoints.add(endpoint.uri() + ": " + describe(endpoint));
        }
        table.addRow().addContent("Endpoints", endpoints.isEmpty() ? "-" : String.join("\n", endpoints));
        return table;
    }

    private static String describe(EndpointInfo endpoint) {
        if (endpoint.problem() != null) {
            return endpoint.problem();
        }
        return endpoint.open() ? "open" : "closed";
    }
}
