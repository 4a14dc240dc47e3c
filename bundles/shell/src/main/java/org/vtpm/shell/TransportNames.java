package org.vtpm.shell;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.vtpm.api.transport.EngineTransport;

/** Completes the names of the transports that are installed. */
@Service
public final class TransportNames implements Completer {
    @Reference(optional = true)
    private List<EngineTransport> transports;

    @Override
    public int complete(Session session, CommandLine commandLine, List<String> candidates) {
        Set<String> names = new TreeSet<>(Set.of(Transport.DEFAULT));
        transports.forEach(transport -> names.add(transport.name()));
        return new StringsCompleter(names, true).complete(session, commandLine, candidates);
    }
}
