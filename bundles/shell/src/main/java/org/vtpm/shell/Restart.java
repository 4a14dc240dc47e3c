package org.vtpm.shell;

import java.util.List;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:restart}. */
@Service
@Command(
        scope = "vtpm",
        name = "restart",
        description = "Powers instances off and on again.",
        detailedDescription = "Example: vtpm:restart demo")
public final class Restart implements Action {
    @Argument(name = "name", description = Words.INSTANCES, required = true, multiValued = true)
    @Completion(InstanceNames.class)
    private List<String> names;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        VtpmManager host = Instances.managedBy(manager);
        Instances.each(host, names, instance -> {
            host.stop(instance.record().uuid());
            return Instances.line(host.start(instance.record().uuid(), null));
        });
        return null;
    }
}
