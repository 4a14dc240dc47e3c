package org.vtpm.shell;

import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.storage.RootAdministration;

/** Completes the names of roots of trust that are there or enrolled. */
@Service
public final class RootNames implements Completer {
    @Reference(optional = true)
    private @Nullable RootAdministration administration;

    @Override
    public int complete(Session session, CommandLine commandLine, List<String> candidates) {
        List<String> names = new ArrayList<>();
        if (administration != null) {
            administration.roots().forEach(root -> names.add(root.name()));
        }
        return new StringsCompleter(names, true).complete(session, commandLine, candidates);
    }
}
