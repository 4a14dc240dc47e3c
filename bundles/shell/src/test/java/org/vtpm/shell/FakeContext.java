package org.vtpm.shell;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;

/** As much of an OSGi service registry as asking for services needs. */
final class FakeContext {
    private record Registration(Class<?> type, Object service, ServiceReference<?> reference) {}

    private final List<Registration> registrations = new ArrayList<>();

    /** Registers a service from a bundle of its own. */
    <T> void add(Class<T> type, T service, int ranking) {
        int id = registrations.size() + 1;
        Bundle bundle = fake(Bundle.class, (method, arguments) -> switch (method) {
            case "getSymbolicName" -> "bundle-" + id;
            case "getBundleId" -> (long) id;
            default -> throw new UnsupportedOperationException(method);
        });
        ServiceReference<?> reference = fake(ServiceReference.class, (method, arguments) -> switch (method) {
            case "getBundle" -> bundle;
            case "getProperty" -> Map.of(Constants.SERVICE_RANKING, ranking).get(arguments[0]);
            // The order that the OSGi specification defines: by ranking, then the older service before the newer.
            case "compareTo" ->
                Integer.compare(
                        ranking * 1000 - id,
                        (Integer) ((ServiceReference<?>) arguments[0]).getProperty(Constants.SERVICE_RANKING) * 1000
                                - (int) ((ServiceReference<?>) arguments[0])
                                        .getBundle()
                                        .getBundleId());
            default -> throw new UnsupportedOperationException(method);
        });
        registrations.add(new Registration(type, service, reference));
    }

    BundleContext context() {
        return fake(BundleContext.class, (method, arguments) -> switch (method) {
            case "getServiceReferences" ->
                registrations.stream()
                        .filter(registration -> registration.type() == arguments[0])
                        .map(Registration::reference)
                        .toList();
            case "getService" ->
                registrations.stream()
                        .filter(registration -> registration.reference() == arguments[0])
                        .map(Registration::service)
                        .findFirst()
                        .orElseThrow();
            case "ungetService" -> true;
            default -> throw new UnsupportedOperationException(method);
        });
    }

    /** A provider whose methods answer what the map says. */
    static <T> T provider(Class<T> type, Map<String, Object> answers) {
        return fake(type, (method, arguments) -> answers.get(method));
    }

    private interface Answers {
        @Nullable
        Object to(String method, Object[] arguments);
    }

    private static <T> T fake(Class<T> type, Answers answers) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> proxy == arguments[0];
                    default -> answers.to(method.getName(), arguments);
                }));
    }
}
