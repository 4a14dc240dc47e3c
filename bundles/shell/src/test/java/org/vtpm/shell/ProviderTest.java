package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.root.RootOfTrust;

class ProviderTest {
    private final FakeContext services = new FakeContext();

    @Test
    void highestRankingIsPreferred() {
        services.add(BigNumberProvider.class, FakeContext.provider(BigNumberProvider.class, Map.of("name", "java")), 0);
        services.add(
                BigNumberProvider.class, FakeContext.provider(BigNumberProvider.class, Map.of("name", "gmp")), 100);

        assertThat(providers("BigNumberProvider"))
                .extracting(Provider::name, Provider::preferred, Provider::ranking, Provider::bundle)
                .containsExactly(tuple("gmp", true, 100, "bundle-2"), tuple("java", false, 0, "bundle-1"));
    }

    @Test
    void everyListenerIsPreferredForSchemesOfItsOwn() {
        services.add(
                EndpointHandler.class,
                FakeContext.provider(EndpointHandler.class, Map.of("schemes", Set.of("unix", "tcp"))),
                0);
        services.add(
                EndpointHandler.class,
                FakeContext.provider(EndpointHandler.class, Map.of("schemes", Set.of("tcp"))),
                0);
        services.add(
                EndpointHandler.class,
                FakeContext.provider(EndpointHandler.class, Map.of("schemes", Set.of("xen"))),
                0);

        assertThat(providers("EndpointHandler"))
                .extracting(Provider::name, Provider::preferred)
                .containsExactly(tuple("tcp, unix", true), tuple("tcp", false), tuple("xen", true));
    }

    @Test
    void rootThatProtectsNothingIsMarked() {
        services.add(
                RootOfTrust.class,
                FakeContext.provider(RootOfTrust.class, Map.of("name", "software", "developmentOnly", true)),
                0);

        assertThat(providers("RootOfTrust"))
                .extracting(Provider::name, Provider::developmentOnly)
                .containsExactly(tuple("software", true));
    }

    @Test
    void missingServiceIsListedToo() {
        assertThat(Provider.all(services.context()))
                .hasSize(9)
                .allSatisfy((service, providers) -> assertThat(providers).isEmpty());
    }

    @Test
    void commandPrintsTableAndJson() throws Exception {
        services.add(
                BigNumberProvider.class, FakeContext.provider(BigNumberProvider.class, Map.of("name", "gmp")), 100);
        try (KarafShell shell = new KarafShell(services.context())) {
            shell.register(Backends.class);

            assertThat(shell.run("vtpm:backends")).contains("gmp", "preferred", "bundle-1", "StateStore", "MISSING");
            assertThat(shell.run("vtpm:backends --json"))
                    .contains("\"service\": \"BigNumberProvider\"", "\"name\": \"gmp\"", "\"preferred\": true");
        }
    }

    private List<Provider> providers(String service) {
        return Provider.all(services.context()).getOrDefault(service, List.of());
    }
}
