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
import org.vtpm.api.manager.VtpmManager;

/** Completes the addresses of the instance whose name stands before. */
@Service
public final class EndpointUris implements Completer {
    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public int complete(Session session, CommandLine commandLine, List<String> candidates) {
        List<String> uris = new ArrayList<>();
        int before = commandLine.getCursorArgumentIndex() - 1;
        if (manager != null && before >= 0) {
            manager.find(commandLine.getArguments()[before])
                    .ifPresent(instance -> instance.endpoints()
                            .forEach(endpoint -> uris.add(endpoint.uri().toString())));
        }
        return new StringsCompleter(uris, true).complete(session, commandLine, candidates);
    }
}
