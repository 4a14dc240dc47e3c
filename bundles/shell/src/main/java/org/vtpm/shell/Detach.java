package org.vtpm.shell;

import java.net.URI;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:detach}. */
@Service
@Command(
        scope = "vtpm",
        name = "detach",
        description = "Removes a guest-facing address from an instance and drops its guests.",
        detailedDescription = "Example: vtpm:detach demo unix:/run/demo.sock")
public final class Detach implements Action {
    @Argument(name = "name", description = "Name or UUID of the instance", required = true)
    @Completion(InstanceNames.class)
    private String name;

    @Argument(name = "uri", description = "The address as vtpm:show prints it", required = true, index = 1)
    @Completion(EndpointUris.class)
    private String uri;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        VtpmManager host = Instances.managedBy(manager);
        InstanceInfo instance = Instances.find(host, name);
        URI endpoint = Words.endpoint(uri);
        Instances.ask(() -> host.detach(instance.record().uuid(), endpoint));
        System.out.println(instance.record().name() + ": detached from " + endpoint);
        return null;
    }
}
