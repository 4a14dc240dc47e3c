package org.vtpm.itests.karaf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import javax.inject.Inject;
import org.apache.karaf.features.BootFinished;
import org.apache.karaf.features.Feature;
import org.apache.karaf.features.FeaturesService;
import org.apache.karaf.features.Repository;
import org.apache.karaf.shell.api.console.SessionFactory;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.vtpm.itests.process.Wait;

/**
 * Features deploy one by one. This class must not name a type of the product: the test would then hang on to a bundle that
 * it uninstalls.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class FeaturesIT {
    /**
     * A feature, and what is there once it is installed after those above it.
     *
     * @param service the type of a service it brings, or null if it brings none by itself
     */
    private record Step(String feature, String service) {}

    private static final List<Step> STEPS = List.of(
            new Step("vtpm-tp-bouncycastle", null),
            new Step("vtpm-tp-bouncycastle-pkix", null),
            new Step("vtpm-tp-jnr", null),
            new Step("vtpm-api", null),
            new Step("vtpm-codec", null),
            new Step("vtpm-bignum-java", "org.vtpm.api.bignum.BigNumberProvider"),
            new Step("vtpm-bignum-gmp", "org.vtpm.api.bignum.BigNumberProvider"),
            new Step("vtpm-crypto", null),
            new Step("vtpm-tpm12", null),
            new Step("vtpm-engine-tpm12", "org.vtpm.api.engine.EngineFactory"),
            new Step("vtpm-transport-loopback", "org.vtpm.api.transport.EngineTransport"),
            new Step("vtpm-transport-fifo", "org.vtpm.api.transport.ProcessTransport"),
            new Step("vtpm-root-software", "org.vtpm.api.root.RootOfTrust"),
            new Step("vtpm-ca-local", "org.vtpm.api.endorsement.EndorsementAuthority"),
            new Step("vtpm-storage", "org.vtpm.api.storage.StateStore"),
            new Step("vtpm-manager", "org.vtpm.api.manager.VtpmManager"),
            new Step("vtpm-listener-swtpm", "org.vtpm.api.manager.EndpointHandler"),
            new Step("vtpm-listener-legacy", "org.vtpm.api.manager.EndpointHandler"),
            new Step("vtpm-listener-xen", "org.vtpm.api.xen.XenBackend"),
            new Step("vtpm-shell", null),
            new Step("vtpm-host-tpm", null),
            // Behind the storage, which would wait for its TPM.
            new Step("vtpm-root-tpm12", "org.vtpm.api.root.RootOfTrust"),
            new Step("vtpm-root-tpm20", "org.vtpm.api.root.RootOfTrust"),
            new Step("vtpm", null));

    @Inject
    private BundleContext context;

    @Inject
    private FeaturesService features;

    @Inject
    private SessionFactory sessions;

    @Inject
    @SuppressWarnings("unused") // Injected once all boot features are installed: what the tests have to wait for.
    private BootFinished booted;

    @Configuration
    public Option[] container() {
        return Container.of(FeaturesIT.class);
    }

    @Test
    public void featuresInstallOneByOneAndUninstallInReverse() throws Exception {
        Osgi osgi = new Osgi(context);
        assertThat(STEPS).extracting(Step::feature).containsExactlyInAnyOrderElementsOf(ownFeatures());
        features.uninstallFeature("vtpm");
        assertThat(osgi.ownBundles()).isEmpty();

        for (Step step : STEPS) {
            install(osgi, step);
        }
        assertThat(new KarafShell(sessions).run("vtpm:backends")).doesNotContain("MISSING");

        List<Step> reverse = new ArrayList<>(STEPS);
        Collections.reverse(reverse);
        for (Step step : reverse) {
            features.uninstallFeature(step.feature());
            assertThat(unresolved(osgi)).as("after " + step.feature() + " went").isEmpty();
        }
        assertThat(osgi.ownBundles()).isEmpty();
    }

    private void install(Osgi osgi, Step step) throws Exception {
        int before = step.service() == null ? 0 : osgi.services(step.service());
        features.installFeature(step.feature(), EnumSet.noneOf(FeaturesService.Option.class));
        assertThat(inactive(osgi)).as("after " + step.feature() + " came").isEmpty();
        if (step.service() != null) {
            Wait.until(step.feature() + " brings a " + step.service(), () -> osgi.services(step.service()) > before);
        }
    }

    private List<String> ownFeatures() throws Exception {
        List<String> names = new ArrayList<>();
        for (Repository repository : features.listRepositories()) {
            if (repository.getName().startsWith("vtpm-")) {
                Arrays.stream(repository.getFeatures()).map(Feature::getName).forEach(names::add);
            }
        }
        return names;
    }

    private static List<Bundle> inactive(Osgi osgi) {
        return osgi.ownBundles().stream()
                .filter(b -> b.getState() != Bundle.ACTIVE)
                .toList();
    }

    private static List<Bundle> unresolved(Osgi osgi) {
        return osgi.ownBundles().stream()
                .filter(b -> b.getState() == Bundle.INSTALLED)
                .toList();
    }
}
