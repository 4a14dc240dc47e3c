package org.vtpm.shell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;

/** {@code vtpm:backends}. */
@Service
@Command(
        scope = "vtpm",
        name = "backends",
        description = "Shows which provider serves each of the manager's services, and the alternatives.",
        detailedDescription =
                "A provider that is 'preferred' is used where nothing else was chosen; the next one takes over"
                        + " when its bundle is stopped. Example: vtpm:backends; bundle:stop org.vtpm.bignum.gmp; vtpm:backends")
public final class Backends implements Action {
    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Reference
    private BundleContext context;

    @Override
    public @Nullable Object execute() {
        Map<String, List<Provider>> services = Provider.all(context);
        if (json) {
            System.out.println(Json.write(members(services)));
        } else {
            table(services).print(System.out);
        }
        return null;
    }

    private static ShellTable table(Map<String, List<Provider>> services) {
        ShellTable table = Tables.withColumns("Service", "Provider", "Use", "Ranking", "Bundle", "ID");
        services.forEach((service, providers) -> {
            if (providers.isEmpty()) {
                table.addRow().addContent(service, "-", "MISSING", "", "", "");
            }
            for (Provider provider : providers) {
                table.addRow()
                        .addContent(
                                service,
                                provider.name(),
                                use(provider),
                                provider.ranking(),
                                provider.bundle(),
                                provider.bundleId());
            }
        });
        return table;
    }

    private static List<Object> members(Map<String, List<Provider>> services) {
        List<Object> elements = new ArrayList<>();
        services.forEach((service, providers) -> {
            List<Object> alternatives = new ArrayList<>();
            for (Provider provider : providers) {
                Map<String, @Nullable Object> members = new LinkedHashMap<>();
                members.put("name", provider.name());
                members.put("preferred", provider.preferred());
                members.put("developmentOnly", provider.developmentOnly());
                members.put("ranking", provider.ranking());
                members.put("bundle", provider.bundle());
                members.put("bundleId", provider.bundleId());
                alternatives.add(members);
            }
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            members.put("service", service);
            members.put("providers", alternatives);
            elements.add(members);
        });
        return elements;
    }

    private static String use(Provider provider) {
        String use = provider.preferred() ? "preferred" : "alternative";
        return provider.developmentOnly() ? use + ", for development only" : use;
    }
}
