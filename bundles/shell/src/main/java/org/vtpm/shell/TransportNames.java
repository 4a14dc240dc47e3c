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
import org.osgi.framework.BundleContext;
import org.vtpm.api.transport.EngineTransport;

/**
 * Completes the names of the transports that are installed. It looks them up when it is asked: if it had references to
 * them, Karaf would take all commands of the bundle away for a moment whenever a transport comes or goes.
 */
@Service
public final class TransportNames implements Completer {
    @Reference
    private BundleContext context;

    @Override
    public int complete(Session session, CommandLine commandLine, List<String> candidates) {
        Set<String> names = new TreeSet<>(Set.of(Transport.DEFAULT));
        Provider.of(EngineTransport.class, context).forEach(transport -> names.add(transport.name()));
        return new StringsCompleter(names, true).complete(session, commandLine, candidates);
    }
}
