package org.vtpm.itests;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Holds the code against the architecture's table of bundles: which may know which, and nothing else. */
class DependencyTest {
    /** What everybody may use: the JDK, logging, and annotations. */
    private static final List<String> COMMON = List.of(
            "java..", "javax.crypto..", "javax.security.auth.x500..", "org.slf4j..", "org.osgi..", "org.jspecify..");

    private static final String BOUNCY_CASTLE = "org.bouncycastle..";
    private static final String JNR = "jnr..";
    /** What jnr-ffi stands on, in the same bundle: the only way to memory at an address that the kernel gave. */
    private static final String JFFI = "com.kenai.jffi..";

    private static final String KARAF_SHELL = "org.apache.karaf.shell..";

    /** Bundle to what it may depend on: names of bundles, or packages of libraries. */
    private static final Map<String, Set<String>> TABLE = Map.ofEntries(
            Map.entry("api", Set.of()),
            Map.entry("codec", Set.of()),
            Map.entry("bignum.java", Set.of("api")),
            Map.entry("bignum.gmp", Set.of("api", JNR)),
            Map.entry("crypto", Set.of("api", BOUNCY_CASTLE)),
            Map.entry("tpm12", Set.of("codec", "crypto")),
            Map.entry("engine.tpm12", Set.of("api", "codec", "crypto", "tpm12")),
            Map.entry("transport.loopback", Set.of("api", "codec")),
            Map.entry("transport.fifo", Set.of("api", "codec", JNR)),
            Map.entry("listener.swtpm", Set.of("api", "codec", JNR)),
            Map.entry("listener.legacy", Set.of("api", "codec", JNR)),
            Map.entry("listener.xen", Set.of("api", JNR, JFFI)),
            Map.entry("hosttpm", Set.of("api")),
            Map.entry("root.software", Set.of("api", "codec", "crypto")),
            Map.entry("root.tpm12", Set.of("api", "codec", "crypto", "tpm12", "hosttpm")),
            Map.entry("root.tpm20", Set.of("api", "codec", "crypto", "hosttpm")),
            Map.entry("ca.local", Set.of("api", BOUNCY_CASTLE)),
            Map.entry("storage", Set.of("api", "codec", "crypto")),
            Map.entry("manager", Set.of("api")),
            Map.entry("shell", Set.of("api", KARAF_SHELL)),
            Map.entry(
                    "vtpmd",
                    Set.of("api", "codec", "crypto", "engine.tpm12", "bignum.java", "bignum.gmp", "transport.fifo")));

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("org.vtpm");

    @TestFactory
    Stream<DynamicTest> aBundleKnowsOnlyWhatTheTableAllows() {
        return new TreeMap<>(TABLE)
                .entrySet().stream()
                        .map(row -> DynamicTest.dynamicTest(row.getKey(), () -> check(row.getKey(), row.getValue())));
    }

    private static void check(String bundle, Set<String> allowed) {
        List<String> packages = new ArrayList<>(COMMON);
        packages.add("org.vtpm." + bundle + "..");
        allowed.forEach(a -> packages.add(TABLE.containsKey(a) ? "org.vtpm." + a + ".." : a));
        classes()
                .that()
                .resideInAPackage("org.vtpm." + bundle + "..")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(packages.toArray(String[]::new)))
                .check(CLASSES);
    }

    @TestFactory
    Stream<DynamicTest> everyClassBelongsToABundleOfTheTable() {
        Set<String> strays = new TreeSet<>();
        CLASSES.forEach(c -> {
            boolean known =
                    TABLE.keySet().stream().anyMatch(b -> (c.getPackageName() + ".").startsWith("org.vtpm." + b + "."));
            if (!known && !c.getPackageName().startsWith("org.vtpm.itests")) {
                strays.add(c.getName());
            }
        });
        return Stream.of(DynamicTest.dynamicTest("all", () -> assertThat(strays).isEmpty()));
    }
}
