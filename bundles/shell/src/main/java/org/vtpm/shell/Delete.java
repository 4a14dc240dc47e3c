package org.vtpm.shell;

import java.util.List;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:delete}. */
@Service
@Command(
        scope = "vtpm",
        name = "delete",
        description = "Deletes instances with all their keys and state, for good.",
        detailedDescription = "Example: vtpm:delete demo --force")
public final class Delete implements Action {
    @Option(name = "--force", description = "Also when it runs or is suspended")
    private boolean force;

    @Argument(name = "name", description = Words.INSTANCES, required = true, multiValued = true)
    @Completion(InstanceNames.class)
    private List<String> words;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> names = Words.takeOptions(this, words);
        VtpmManager host = Instances.managedBy(manager);
        Instances.each(host, names, instance -> {
            host.delete(instance.record().uuid(), force);
            return instance.record().name() + ": deleted";
        });
        return null;
    }
}
