package org.vtpm.shell;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.endorsement.EndorsementAuthority;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.storage.StateStore;
import org.vtpm.api.transport.EngineTransport;
import org.vtpm.api.transport.ProcessTransport;

/**
 * One bundle's offer of one of the manager's services.
 *
 * @param name what the provider calls itself, or {@code -} where providers have no names
 * @param preferred whether it is used where nothing else was chosen: nobody who offers the same ranks higher
 * @param developmentOnly whether it protects nothing
 * @param ranking its {@code service.ranking}
 * @param bundle symbolic name of the bundle it comes from
 * @param bundleId number of that bundle, for {@code bundle:stop}
 */
record Provider(String name, boolean preferred, boolean developmentOnly, int ranking, String bundle, long bundleId) {
    /** Every service that the product is put together from, by its simple name, with its providers: best first. */
    static Map<String, List<Provider>> all(BundleContext context) {
        Map<String, List<Provider>> services = new LinkedHashMap<>();
        addNamed(services, context, VtpmManager.class, manager -> "-");
        addNamed(services, context, StateStore.class, store -> "-");
        addNamed(services, context, RootOfTrust.class, RootOfTrust::name);
        addNamed(services, context, EndorsementAuthority.class, EndorsementAuthority::name);
        addNamed(services, context, EngineTransport.class, EngineTransport::name);
        addNamed(services, context, ProcessTransport.class, ProcessTransport::name);
        addNamed(services, context, BigNumberProvider.class, BigNumberProvider::name);
        add(
                services,
                context,
                EngineFactory.class,
                factory -> Set.of("TPM " + factory.family().label()));
        add(services, context, EndpointHandler.class, EndpointHandler::schemes);
        return services;
    }

    /** Who offers a service that is listed by {@link #all}: best first. */
    static List<Provider> of(Class<?> service, BundleContext context) {
        return all(context).getOrDefault(service.getSimpleName(), List.of());
    }

    private static <T> void addNamed(
            Map<String, List<Provider>> services, BundleContext context, Class<T> type, Function<T, String> name) {
        services.put(type.getSimpleName(), providers(context, type, name, provider -> Set.of("")));
    }

    /** Adds a service of which each provider offers one or more different things, and is named after them. */
    private static <T> void add(
            Map<String, List<Provider>> services,
            BundleContext context,
            Class<T> type,
            Function<T, Set<String>> offers) {
        Function<T, String> name = provider -> String.join(", ", new TreeSet<>(offers.apply(provider)));
        services.put(type.getSimpleName(), providers(context, type, name, offers));
    }

    private static <T> List<Provider> providers(
            BundleContext context, Class<T> type, Function<T, String> name, Function<T, Set<String>> offers) {
        List<Provider> providers = new ArrayList<>();
        Set<String> served = new HashSet<>();
        for (ServiceReference<T> reference : references(context, type)) {
            T service = context.getService(reference);
            if (service == null) {
                continue;
            }
            try {
                boolean preferred = served.addAll(offers.apply(service));
                providers.add(new Provider(
                        name.apply(service),
                        preferred,
                        service instanceof RootOfTrust root && root.developmentOnly(),
                        reference.getProperty(Constants.SERVICE_RANKING) instanceof Integer ranking ? ranking : 0,
                        reference.getBundle().getSymbolicName(),
                        reference.getBundle().getBundleId()));
            } finally {
                context.ungetService(reference);
            }
        }
        return providers;
    }

    private static <T> List<ServiceReference<T>> references(BundleContext context, Class<T> type) {
        try {
            Collection<ServiceReference<T>> references = context.getServiceReferences(type, null);
            List<ServiceReference<T>> sorted = new ArrayList<>(references);
            sorted.sort(Collections.reverseOrder());
            return sorted;
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException("there is no filter to be wrong", e);
        }
    }
}
