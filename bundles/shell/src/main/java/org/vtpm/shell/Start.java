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
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:start}. */
@Service
@Command(
        scope = "vtpm",
        name = "start",
        description = "Powers instances on.",
        detailedDescription = "Example: vtpm:start web db")
public final class Start implements Action {
    @Option(
            name = "--startup",
            description = "none, clear, state or deactivated instead of what the instance is set to")
    @Completion(
            value = StringsCompleter.class,
            values = {"none", "clear", "state", "deactivated"})
    private @Nullable String startup;

    @Option(name = "--discard", description = "Give up what a suspended instance was doing, as if it had lost power")
    private boolean discard;

    @Argument(name = "name", description = Words.INSTANCES, required = true, multiValued = true)
    @Completion(InstanceNames.class)
    private List<String> words;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> names = Words.takeOptions(this, words);
        StartupMode mode = startup == null ? null : Words.constant(StartupMode.class, "--startup", startup);
        VtpmManager host = Instances.managedBy(manager);
        Instances.each(host, names, instance -> {
            if (discard) {
                host.discard(instance.record().uuid());
            }
            return Instances.line(host.start(instance.record().uuid(), mode));
        });
        return null;
    }
}
