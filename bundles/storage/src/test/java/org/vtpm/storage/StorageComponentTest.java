package org.vtpm.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.assertState;
import static org.vtpm.storage.Samples.permanent;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.uuid;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.RootAdministration;
import org.vtpm.api.storage.StateStore;

/** The service comes when a root of trust opened the folder, and stays when the root goes. */
class StorageComponentTest {
    @TempDir
    Path temporary;

    private static final RootOfTrust OPENER = new TestRoot("opener", "x");

    private final List<StateStore> registered = new CopyOnWriteArrayList<>();
    private final List<RootAdministration> administrations = new ArrayList<>();
    private int counterWait = 3600;
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

    @Test
    void theServiceWaitsForTheRootThatHasTheCounter() throws Exception {
        CountingRoot counting = new CountingRoot();
        fillAndAnchor(counting);

        StorageComponent second = new StorageComponent(context, config("${karaf.data}/storage"));
        second.start();
        second.bindRoot(OPENER, reference(0));
        assertThat(registered).isEmpty();
        second.bindRoot(counting, reference(50));
        assertThat(registered).hasSize(1);
        assertState(registered.get(0), "demo", "made");
        second.stop();
        assertThat(registered).isEmpty();
    }

    @Test
    @Timeout(60)
    void theServiceDoesNotWaitForEverForTheCounter() throws Exception {
        CountingRoot counting = new CountingRoot();
        fillAndAnchor(counting);

        counterWait = 0;
        StorageComponent second = new StorageComponent(context, config("${karaf.data}/storage"));
        second.start();
        second.bindRoot(OPENER, reference(0));
        StateStore store = await();
        UUID demo = uuid("demo");
        assertThatThrownBy(() -> store.load(demo)).hasMessageContaining("stays closed");
        second.stop();
    }

    @Test
    @Timeout(60)
    void nothingIsLeftOfOneThatIsStoppedWhileItWaits() throws Exception {
        fillAndAnchor(new CountingRoot());
        StorageComponent waiting = new StorageComponent(context, config("${karaf.data}/storage"));
        waiting.start();
        waiting.bindRoot(OPENER, reference(0));
        waiting.stop();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("vtpm-anchor")) {
                thread.join();
            }
        }
        assertThat(registered).isEmpty();
    }

    /** Leaves a storage that two roots of trust open, of which one has the counter. */
    private void fillAndAnchor(CountingRoot counting) throws Exception {
        StorageComponent component = new StorageComponent(context, config("${karaf.data}/storage"));
        component.start();
        component.bindRoot(OPENER, reference(0));
        component.bindRoot(counting, reference(50));
        administrations.get(0).enroll(counting.name(), SealingTerms.NONE);
        registered.get(0).create(record("demo"), permanent("made"));
        component.stop();
    }

    private StateStore await() throws InterruptedException {
        while (registered.isEmpty()) {
            Thread.sleep(5);
        }
        return registered.get(0);
    }

    private ServiceRegistration<?> register(Object service) {
        if (service instanceof StateStore store) {
            registered.add(store);
        }
        if (service instanceof RootAdministration administration) {
            administrations.add(administration);
        }
        return fake(ServiceRegistration.class, (proxy, method, arguments) -> {
            assertThat(method.getName()).isEqualTo("unregister");
            return registered.remove(service) || administrations.remove(service);
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

    private StorageConfig config(String directory) {
        return fake(StorageConfig.class, (proxy, method, arguments) -> switch (method.getName()) {
            case "directory" -> directory;
            case "counter_wait_seconds" -> counterWait;
            default -> 3600;
        });
    }

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
