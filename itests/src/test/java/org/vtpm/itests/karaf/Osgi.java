package org.vtpm.itests.karaf;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.vtpm.itests.process.Wait;

/** The framework under test: its bundles and services. */
final class Osgi {
    private final BundleContext context;

    Osgi(BundleContext context) {
        this.context = context;
    }

    /** The bundles of the product that are installed now. */
    List<Bundle> ownBundles() {
        return Arrays.stream(context.getBundles())
                .filter(b -> String.valueOf(b.getSymbolicName()).startsWith("org.vtpm."))
                .toList();
    }

    Optional<Bundle> find(String symbolicName) {
        return Arrays.stream(context.getBundles())
                .filter(b -> symbolicName.equals(b.getSymbolicName()))
                .findFirst();
    }

    Bundle bundle(String symbolicName) {
        return find(symbolicName).orElseThrow(() -> new AssertionError("bundle " + symbolicName + " is not installed"));
    }

    void stop(String symbolicName) throws BundleException {
        bundle(symbolicName).stop(Bundle.STOP_TRANSIENT);
    }

    void start(String symbolicName) throws BundleException {
        bundle(symbolicName).start(Bundle.START_TRANSIENT);
    }

    /** How many services of a type there are; asking does not load the type. */
    int services(String type) {
        try {
            ServiceReference<?>[] references = context.getAllServiceReferences(type, null);
            return references == null ? 0 : references.length;
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException("there is no filter to be wrong", e);
        }
    }

    /** The best service of a type, as soon as there is one. */
    <T> T service(Class<T> type) throws Exception {
        Wait.until("there is a " + type.getSimpleName(), () -> current(type).isPresent());
        return current(type).orElseThrow();
    }

    private <T> Optional<T> current(Class<T> type) {
        return Optional.ofNullable(context.getServiceReference(type)).map(context::getService);
    }
}
