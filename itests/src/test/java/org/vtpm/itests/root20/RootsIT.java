package org.vtpm.itests.root20;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.process.KarafServer;
import org.vtpm.itests.process.Programs;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * The product on a host with a TPM 2.0, Debian's swtpm, and an operator with OpenSSL at its shell: what opens the guests'
 * TPMs, what does not, what the operator is told then, and what brings them back.
 */
class RootsIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int INDEX = 0x11;
    private static final int PPWRITE = 1;
    private static final Pattern RECOVERY_KEY = Pattern.compile("([0-9a-f]{4}-){19}[0-9a-f]{4}");

    private final SecureRandom random = new SecureRandom();
    private final byte[] owner = bytes(20);
    private byte[] kept = bytes(64);

    @TempDir
    private Path folder;

    private Tpm2 tpm;
    private Signer operator;
    private KarafServer karaf;
    private int port;
    private Path recoveryKeys;

    @Test
    void theTpmOpensTheGuestsTpms() throws Exception {
        install();
        theTpmTakesTheSoftwaresPlace();
        theHostsStateDecidesWhetherTheGuestsGoOn();
        anOlderStorageIsRefusedUntilTheOperatorSigns();
        anAuditedStorageStartsAndSaysSo();
        whatWasPutByIsRestored();
        anotherTpmTakesThePlaceOfOneThatBroke();
        nothingKeepsAGuestsSecretsInTheOpen();
    }

    private void install() throws Exception {
        tpm = Tpm2.start(folder.resolve("tpm"));
        operator = Signer.make(folder.resolve("operator"), Signer.Kind.EC);
        karaf = KarafServer.install(folder.resolve("karaf"));
        port = KarafServer.freePort();
        shell("vtpm:create web --endpoint tcp:127.0.0.1:" + port);
        try (Tpm12Client guest = guest()) {
            guest.takeOwnership(owner, new byte[20]).orFail();
            guest.nvDefine(INDEX, kept.length, PPWRITE).orFail();
        }
        keep(kept);
    }

    /** Afterwards the TPM opens the storage in the present state of the host, and nothing else but the recovery key. */
    private void theTpmTakesTheSoftwaresPlace() throws Exception {
        Files.writeString(
                karaf.home().resolve("etc/org.vtpm.root.tpm20.cfg"), "place = " + tpm.place() + System.lineSeparator());
        shell("feature:install vtpm-root-tpm20");
        String enrolled = shell("vtpm:root enroll tpm20 --pcrs 0-7 --sign " + key());
        Matcher printed = RECOVERY_KEY.matcher(enrolled);
        assertThat(printed.find()).as(enrolled).isTrue();
        recoveryKeys = Files.writeString(folder.resolve("recovery.keys"), printed.group());
        assertThat(shell("vtpm:root withdraw software", "vtpm:root list --json"))
                .containsPattern(root("software", "false", "null"))
                .containsPattern(root("tpm20", "true", "true"));
    }

    @AfterEach
    void powerOff() {
        if (karaf != null) {
            karaf.close();
        }
        if (tpm != null) {
            tpm.close();
        }
    }

    private void theHostsStateDecidesWhetherTheGuestsGoOn() throws Exception {
        assertThat(shell(
                        "vtpm:storage rotate host",
                        "vtpm:storage rotate wrapping",
                        "vtpm:storage rotate data",
                        "vtpm:storage compact",
                        "vtpm:storage verify"))
                .contains("All records and the hash tree are as they should be");
        assertKept(kept);

        // An update of which the operator approved before.
        String updated = Tpm2.extended("update");
        Path policy = folder.resolve("update.policy");
        shell("vtpm:root policy tpm20 --pcr 7=" + updated + " --out " + policy);
        Path signature = Files.write(folder.resolve("update.sig"), operator.sign(Files.readAllBytes(policy)));
        shell("vtpm:root policy tpm20 --pcr 7=" + updated + " --signature " + signature);
        karaf.kill();
        tpm.restart();
        tpm.extend(7, "update");
        karaf.restart();
        assertKept(kept);

        // A boot of something else.
        storage(() -> {
            tpm.restart();
            tpm.extend(4, "something else");
        });
        assertThat(refused("vtpm:storage status")).contains("closed", "vtpm:root status");
        assertThat(refused("vtpm:list")).isNotEmpty();
        assertThat(shell("vtpm:root status tpm20"))
                .contains("PCR 4=", "sign the policy of these values", "Storage: closed", "opens the storage");
        shell("vtpm:root recover --keys-file " + recoveryKeys);
        assertKept(kept);
        storage(() -> {});
        assertThat(refused("vtpm:storage status")).contains("closed");
        shell("vtpm:root policy tpm20 --sign " + key());
        assertKept(kept);

        // Recovery keys of several people take the place of the one.
        List<String> keys = RECOVERY_KEY
                .matcher(shell("vtpm:root recovery 2/3"))
                .results()
                .map(MatchResult::group)
                .toList();
        assertThat(keys).hasSize(3);
        Path earlier = recoveryKeys;
        storage(() -> {
            tpm.restart();
            tpm.extend(4, "something else again");
        });
        assertThat(refused("vtpm:root recover --keys-file " + earlier)).isNotEmpty();
        Path one = Files.writeString(folder.resolve("one.key"), keys.get(1));
        assertThat(refused("vtpm:root recover --keys-file " + one)).contains("2");
        recoveryKeys = Files.write(folder.resolve("two.keys"), List.of(keys.get(2), keys.get(0)));
        shell("vtpm:root recover --keys-file " + recoveryKeys, "vtpm:root policy tpm20 --sign " + key());
        assertKept(kept);
    }

    private void anOlderStorageIsRefusedUntilTheOperatorSigns() throws Exception {
        byte[] old = kept;
        Path stored = karaf.home().resolve("data/vtpm/storage");
        Path copy = folder.resolve("copy");
        storage(() -> copy(stored, copy));
        keep(bytes(64));
        storage(() -> {
            Files.move(stored, folder.resolve("latest"));
            copy(copy, stored);
        });
        assertThat(shell("vtpm:list")).containsPattern("web\\W+FAILED");
        assertThat(shell("vtpm:show web")).contains("older than what was stored last", "vtpm:storage revert");
        assertThat(shell("vtpm:storage status")).containsPattern("Refused as old\\W+web");
        assertThat(refused("vtpm:start web")).contains("older than what was stored last");

        Path token = folder.resolve("web.revert");
        shell("vtpm:storage revert web --out " + token);
        Path forged = Files.write(folder.resolve("forged.sig"), operator.sign(new byte[1]));
        assertThat(refused("vtpm:storage revert web --signature " + forged)).contains("not the operator's");
        Path signature = Files.write(folder.resolve("web.sig"), operator.sign(Files.readAllBytes(token)));
        shell("vtpm:storage revert web --signature " + signature, "vtpm:start web");
        assertKept(old);

        kept = old;
        storage(() -> {});
        assertKept(old);
    }

    private void anAuditedStorageStartsAndSaysSo() throws Exception {
        byte[] old = kept;
        Path stored = karaf.home().resolve("data/vtpm/storage");
        Path copy = folder.resolve("audited");
        shell("vtpm:storage replay audit");
        storage(() -> copy(stored, copy));
        keep(bytes(64));
        storage(() -> {
            Files.move(stored, folder.resolve("latest of the audited"));
            copy(copy, stored);
        });
        assertKept(old);
        assertThat(shell("log:display")).contains("older than what was stored last", "the replay policy is audit");
        kept = old;
        shell("vtpm:storage replay strict");
        storage(() -> {});
        assertKept(old);
    }

    private void whatWasPutByIsRestored() throws Exception {
        byte[] before = kept;
        shell("vtpm:storage snapshot web before-update");
        keep(bytes(64));
        assertThat(refused("vtpm:storage restore web before-update")).contains("vtpm:stop");
        shell("vtpm:stop web", "vtpm:storage restore web before-update", "vtpm:start web");
        assertKept(before);
        kept = before;
        shell("vtpm:storage drop web before-update");
    }

    private void anotherTpmTakesThePlaceOfOneThatBroke() throws Exception {
        storage(() -> {
            tpm.close();
            try (Stream<Path> state = Files.list(tpm.folder())) {
                for (Path each : state.filter(path -> path.toString().endsWith(".permall"))
                        .toList()) {
                    Files.delete(each);
                }
            }
            tpm.restart();
        });
        assertThat(shell("vtpm:root status tpm20")).contains("another TPM", "recover");
        assertThat(shell("vtpm:root recover --keys-file " + recoveryKeys)).contains("vtpm:root reseal");
        assertThat(shell("vtpm:root reseal tpm20", "vtpm:root list --json"))
                .containsPattern(root("tpm20", "true", "true"));
        // Its counter went with the old TPM: nobody can tell whether this is the latest.
        assertThat(shell("vtpm:show web")).contains("vtpm:storage revert");
        shell("vtpm:storage revert web --sign " + key(), "vtpm:start web");
        assertKept(kept);
        storage(() -> {});
        assertKept(kept);
    }

    /** Neither the storage nor, when the instances have stopped, the manager's memory holds what guests keep. */
    private void nothingKeepsAGuestsSecretsInTheOpen() throws Exception {
        shell("vtpm:storage snapshot web before", "vtpm:stop web", "vtpm:start web", "vtpm:storage rotate data");
        assertKept(kept);
        Map<String, byte[]> secrets = new LinkedHashMap<>();
        secrets.put("what the guest keeps in NV", kept);
        secrets.put("the secret of its TPM's owner", owner);

        Path running = folder.resolve("running.hprof");
        dump(running);
        assertThat(found(running, secrets))
                .as("the search finds them while the TPM runs")
                .isNotEmpty();
        shell("bundle:stop org.vtpm.manager", "bundle:stop org.vtpm.storage");
        Path dump = folder.resolve("stopped.hprof");
        dump(dump);
        assertThat(found(dump, secrets)).as("in the manager's memory").isEmpty();
        try (Stream<Path> data = Files.walk(karaf.home().resolve("data/vtpm"))) {
            for (Path file : data.filter(Files::isRegularFile).toList()) {
                assertThat(found(file, secrets)).as("in " + file).isEmpty();
            }
        }
    }

    private void dump(Path file) throws Exception {
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        Programs.Result result = Programs.run(
                folder,
                Map.of(),
                PATIENCE,
                "",
                List.of(jcmd.toString(), Long.toString(karaf.pid()), "GC.heap_dump", file.toString()));
        assertThat(file).as(result.output()).exists();
    }

    /** Which of the secrets are in a file. */
    private static List<String> found(Path file, Map<String, byte[]> secrets) throws IOException {
        List<String> found = new ArrayList<>();
        byte[] content = Files.readAllBytes(file);
        secrets.forEach((name, secret) -> {
            for (int at = 0; at <= content.length - secret.length; at++) {
                if (content[at] == secret[0]
                        && Arrays.equals(content, at, at + secret.length, secret, 0, secret.length)) {
                    found.add(name + " at " + at);
                }
            }
        });
        return found;
    }

    @FunctionalInterface
    private interface Meanwhile {
        void happens() throws Exception;
    }

    /** Closes the storage in order, and opens it again, as a restart of the manager does. */
    private void storage(Meanwhile meanwhile) throws Exception {
        shell("bundle:stop org.vtpm.storage");
        meanwhile.happens();
        shell("bundle:start org.vtpm.storage");
    }

    private Path key() {
        return operator.folder().resolve("key.pem");
    }

    private static String root(String name, String enrolled, String opens) {
        return "\"name\": \"" + name + "\",[^}]*\"enrolled\": " + enrolled + ",\\s*\"opens\": " + opens;
    }

    private String shell(String... lines) throws Exception {
        Programs.Result result = karaf.shell(lines);
        assertThat(result.exit())
                .as(String.join("; ", lines) + ": " + result.output())
                .isZero();
        return result.output();
    }

    private String refused(String line) throws Exception {
        Programs.Result result = karaf.shell(line);
        assertThat(result.exit()).as(line + ": " + result.output()).isNotZero();
        return result.output();
    }

    private Tpm12Client guest() throws Exception {
        return new Tpm12Client(karaf.connect(port), random);
    }

    private void keep(byte[] data) throws Exception {
        kept = data;
        try (Tpm12Client guest = guest()) {
            guest.nvWrite(INDEX, 0, data).orFail();
        }
    }

    private void assertKept(byte[] data) throws Exception {
        try (Tpm12Client guest = guest()) {
            byte[] body = guest.nvRead(INDEX, 0, data.length).orFail().body();
            assertThat(Arrays.copyOfRange(body, 4, body.length)).isEqualTo(data);
        }
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void copy(Path from, Path to) throws Exception {
        Programs.Result copied = Programs.run(
                from.getParent(), Map.of(), PATIENCE, "", List.of("cp", "-a", from.toString(), to.toString()));
        assertThat(copied.exit()).as(copied.output()).isZero();
    }
}
