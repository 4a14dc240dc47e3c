package org.vtpm.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.assertState;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.storage.StateStore;

/** The service comes when a root of trust opened the folder, and stays when the root goes. */
class StorageComponentTest {
    @TempDir
    Path temporary;

    private final List<StateStore> registered = new ArrayList<>();
    private BundleContext context;

    @BeforeEach
    void makeContext() {
        context = fake(BundleContext.class, (proxy, method, arguments) -> switch (method.getName()) {
            case "getProperty" -> temporary.toString();
            case "registerService" -> register(arguments[1]);
            default -> throw new UnsupportedOperationException(method.getName());
        });
    }

    @Test
    void theServiceWaitsForTheRootAndOutlivesIt() throws Exception {
        StorageComponent component = new StorageComponent(context, config("${karaf.data}/storage"));
        component.start();
        assertThat(registered).isEmpty();

        RootOfTrust root = new TestRoot();
        ServiceReference<RootOfTrust> reference = reference(0);
        component.bindRoot(root, reference);
        assertThat(registered).hasSize(1);
        StateStore store = registered.get(0);
        store.create(record("demo"), permanent("made"));

        component.unbindRoot(root, reference);
        assertState(store, "demo", "made");
        component.bindRoot(new TestRoot("tpm2", "x"), reference(50));
        assertThat(registered).containsExactly(store);

        component.stop();
        assertThat(registered).isEmpty();
        assertThatThrownBy(store::instances).hasMessageContaining("closed");
        assertThat(temporary.resolve("storage/host.key")).isRegularFile();
    }

    @Test
    void aRootThatDoesNotOpenTheFolderIsNotTheLast() throws Exception {
        StorageComponent first = new StorageComponent(context, config("${karaf.data}/storage"));
        first.bindRoot(new TestRoot(), reference(0));
        first.stop();

        StorageComponent second = new StorageComponent(context, config("${karaf.data}/storage"));
        second.bindRoot(new TestRoot("tpm2", "x"), reference(50));
        assertThat(registered).isEmpty();
        second.bindRoot(new TestRoot(), reference(0));
        assertThat(registered).hasSize(1);
        second.stop();
    }

    @Test
    void aRootThatComesAfterTheEndOpensNothing() throws Exception {
        StorageComponent component = new StorageComponent(context, config("${karaf.data}/storage"));
        component.stop();
        component.bindRoot(new TestRoot(), reference(0));
        assertThat(registered).isEmpty();
        assertThat(temporary.resolve("storage")).doesNotExist();
    }

    private ServiceRegistration<?> register(Object service) {
        if (service instanceof StateStore store) {
            registered.add(store);
        }
        return fake(ServiceRegistration.class, (proxy, method, arguments) -> {
            assertThat(method.getName()).isEqualTo("unregister");
            return registered.remove(service);
        });
    }

    @SuppressWarnings("unchecked")
    private static ServiceReference<RootOfTrust> reference(int ranking) {
        return fake(ServiceReference.class, (proxy, method, arguments) -> switch (method.getName()) {
            case "hashCode" -> ranking;
            case "equals" -> proxy == arguments[0];
            case "compareTo" -> Integer.compare(ranking, arguments[0].hashCode());
            default -> throw new UnsupportedOperationException(method.getName());
        });
    }

    private static StorageConfig config(String directory) {
        return fake(
                StorageConfig.class,
                (proxy, method, arguments) -> method.getName().equals("directory") ? directory : (Object) 3600);
    }

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
