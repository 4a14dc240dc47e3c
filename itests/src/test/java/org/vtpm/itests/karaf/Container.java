package org.vtpm.itests.karaf;

import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.systemTimeout;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.configureConsole;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.configureSecurity;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.doNotModifyLogConfiguration;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.editConfigurationFilePut;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.karafDistributionConfiguration;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.keepRuntimeFolder;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import net.bytebuddy.ByteBuddy;
import org.assertj.core.api.Assertions;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.options.extra.VMOption;

/** What Pax Exam is told to start a container from the assembly that this build made. */
final class Container {
    private static final String MAVEN = "etc/org.ops4j.pax.url.mvn.cfg";
    private static final long START_PATIENCE = TimeUnit.MINUTES.toMillis(3);

    private Container() {}

    /**
     * The product as it comes.
     *
     * @param test whose container it is; what is left of it stays in {@code target/exam} until the test runs again
     * @param more what this test needs besides
     */
    static Option[] of(Class<?> test, Option... more) {
        Path folder = Path.of("target", "exam", test.getSimpleName());
        delete(folder);
        List<Option> options = new ArrayList<>();
        options.add(karafDistributionConfiguration()
                .frameworkUrl(new File(property("vtpm.assembly")).toURI().toString())
                .karafVersion(property("karaf.version"))
                .name("vTPM Manager")
                .unpackDirectory(folder.toFile())
                .useDeployFolder(false));
        // Pax Exam would delete it by opening every file, and wait forever for a writer of the listener's FIFOs.
        options.add(keepRuntimeFolder());
        options.add(systemTimeout(START_PATIENCE));
        options.add(configureConsole().ignoreLocalConsole());
        options.add(configureSecurity().disableKarafMBeanServerBuilder());
        options.add(doNotModifyLogConfiguration());
        options.add(
                editConfigurationFilePut("etc/org.apache.karaf.shell.cfg", "sshPort", Integer.toString(freePort())));
        options.addAll(localRepositoryOnly());
        options.addAll(jvm());
        options.add(bundle(codeSource(Assertions.class)));
        options.add(bundle(codeSource(ByteBuddy.class)));
        options.addAll(Arrays.asList(more));
        return options.toArray(Option[]::new);
    }

    /** A TCP port of the loopback interface that nobody listens on. */
    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException("there is no free port", e);
        }
    }

    /** The product has all it needs with it; Pax Exam's own bundles come from where Maven put them. */
    private static List<Option> localRepositoryOnly() {
        String repository = property("maven.localRepository");
        return List.of(
                editConfigurationFilePut(MAVEN, "org.ops4j.pax.url.mvn.repositories", ""),
                editConfigurationFilePut(MAVEN, "org.ops4j.pax.url.mvn.localRepository", repository),
                editConfigurationFilePut(
                        MAVEN,
                        "org.ops4j.pax.url.mvn.defaultRepositories",
                        "file:${karaf.home}/system@id=system.repository@snapshots,file:" + repository
                                + "@id=local@snapshots"));
    }

    /** The JVM as {@code bin/karaf} starts it; Pax Exam does not use that script. */
    private static List<Option> jvm() {
        String karaf = property("karaf.version");
        return List.of(
                        "--add-reads=java.xml=java.logging",
                        "--add-exports=java.base/org.apache.karaf.specs.locator=java.xml,ALL-UNNAMED",
                        "--patch-module",
                        "java.base=lib/endorsed/org.apache.karaf.specs.locator-" + karaf + ".jar",
                        "--patch-module",
                        "java.xml=lib/endorsed/org.apache.karaf.specs.java.xml-" + karaf + ".jar",
                        "--add-opens=java.base/java.security=ALL-UNNAMED",
                        "--add-opens=java.base/java.net=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED",
                        "--add-opens=java.base/java.util=ALL-UNNAMED",
                        "--add-opens=java.naming/javax.naming.spi=ALL-UNNAMED",
                        "--add-opens=java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED",
                        "-classpath",
                        String.join(File.pathSeparator, "lib/jdk9plus/*", "lib/boot/*", "lib/endorsed/*"))
                .stream()
                .<Option>map(VMOption::new)
                .toList();
    }

    private static void delete(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> below = Files.walk(folder)) {
            for (Path path : below.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String codeSource(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation().toString();
    }

    private static String property(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalStateException("system property " + name + " is not set; the tests run in mvn verify");
        }
        return value;
    }
}
