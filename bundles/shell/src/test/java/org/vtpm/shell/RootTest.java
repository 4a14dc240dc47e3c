package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.Examination.PcrDifference;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.storage.RootStatus;

class RootTest {
    private static final Examination OPENS = new Examination(List.of(), List.of(), 1);
    private static final String OTHER = "0f".repeat(32);

    private final FakeStorage storage = new FakeStorage();
    private KarafShell shell;

    @TempDir
    private Path folder;

    @BeforeEach
    void startShell() {
        shell = new KarafShell(storage);
        shell.register(Root.class, RootNames.class);
        storage.add("tpm20", false, null);
        storage.add("software", true, OPENS);
    }

    @AfterEach
    void stopShell() {
        shell.close();
    }

    private static PcrValue pcr(int index, String value) {
        return new PcrValue(index, HexFormat.of().parseHex(value));
    }

    private String key(String name) throws Exception {
        return OperatorKeyTest.file(name, folder).toString();
    }

    @Test
    void rootsAreListed() throws Exception {
        storage.roots.put("tpm12", new RootStatus("tpm12", "", false, false, true, false, null, OptionalLong.of(42)));

        assertThat(shell.run("vtpm:root list"))
                .containsPattern("tpm20.*/dev/tpm20.*no.*-.*no.*-")
                .containsPattern("software.*/dev/software.*yes.*yes.*no.*-")
                .containsPattern("tpm12.*not there.*yes.*-.*no.*42");
        assertThat(shell.run("vtpm:root list --json")).contains("\"opens\": null", "\"opens\": true", "\"anchor\": 42");
        fails("vtpm:root list tpm20", "Too many arguments: tpm20");
    }

    @Test
    void anEmptyListSaysWhatToDo() throws Exception {
        storage.roots.clear();
        assertThat(shell.run("vtpm:root list")).contains("No root of trust is there");
    }

    @Test
    void statusTellsWhatKeepsARootFromOpening() throws Exception {
        Examination closed = new Examination(
                List.of("PCR 7 differs: approve of its value"),
                List.of(new PcrDifference(pcr(7, FakeStorage.NOW), pcr(7, OTHER))),
                3);
        storage.roots.put(
                "tpm20", new RootStatus("tpm20", "/dev/tpmrm0", true, false, true, true, closed, OptionalLong.of(9)));
        storage.quorum = 2;

        assertThat(shell.run("vtpm:root status tpm20"))
                .containsPattern("Problems.*PCR 7 differs: approve of its value")
                .contains("now      " + FakeStorage.NOW, "approved " + OTHER)
                .containsPattern("Approved policies.*3")
                .containsPattern("Earlier seal.*kept until")
                .containsPattern("Anchor.*9")
                .contains("Storage: open", "2 of them open the storage")
                .doesNotContain("software");
        assertThat(shell.run("vtpm:root status")).contains("software", "tpm20");
        assertThat(shell.run("vtpm:root status --json"))
                .contains("\"recoveryQuorum\": 2", "\"storageOpen\": true", "\"index\": 7", "\"approvedPolicies\": 3");
        fails("vtpm:root status nobody", "No root of trust 'nobody'");
    }

    @Test
    void enrollingMakesARecoveryKeyOnce() throws Exception {
        assertThat(shell.run("vtpm:root enroll tpm20"))
                .contains("tpm20: enrolled", "This recovery key opens the storage", "key-1-of-1", "stored nowhere")
                .doesNotContain("policy");
        assertThat(storage.terms.pcrs()).isEmpty();
        assertThat(storage.madeKeys).allSatisfy(key -> assertThat(key).containsOnly('\0'));

        assertThat(shell.run("vtpm:root enroll tpm20")).doesNotContain("key-");
        assertThat(shell.run("vtpm:root enroll tpm20 --recovery 2/3"))
                .contains("vtpm:root recovery 2/3 makes new ones")
                .doesNotContain("key-");
        assertThat(shell.run("vtpm:root recovery 2/3")).contains("2 of these 3 recovery keys open", "key-3-of-3");
        assertThat(storage.quorum).isEqualTo(2);
    }

    @Test
    void enrollingCanDoWithoutRecoveryKeys() throws Exception {
        assertThat(shell.run("vtpm:root enroll tpm20 --no-recovery")).doesNotContain("key-");
        assertThat(storage.quorum).isZero();
    }

    @Test
    void enrollingSignsThePresentState() throws Exception {
        for (String kind : List.of("rsa", "ec")) {
            storage.orders.clear();
            assertThat(shell.run("vtpm:root enroll tpm20 --pcrs 7,0-1 --sign " + key("operator-" + kind + ".pem")))
                    .contains("tpm20: enrolled", "approved of these values of PCRs 0, 1, 7", "7=" + FakeStorage.NOW);

            assertThat(storage.terms.pcrs()).containsExactlyInAnyOrder(0, 1, 7);
            assertThat(storage.orders).hasSize(2).last().asString().startsWith("approve tpm20 [0=ab");
        }
    }

    @Test
    void enrollingSaysWhatToSignElsewhere() throws Exception {
        assertThat(shell.run("vtpm:root enroll tpm20 --pcrs 0-7 --operator-key " + key("operator-ec-public.pem")))
                .contains("vtpm:root policy tpm20 --out");
        assertThat(storage.orders).containsExactly("enroll tpm20 false");
        assertThat(storage.terms.operatorKey())
                .isEqualTo(OperatorKey.readPublic(folder.resolve("operator-ec-public.pem")));
    }

    @Test
    void aPolicyThatFailsLeavesRecoveryKeys() throws Exception {
        String line = "vtpm:root enroll tpm20 --pcrs 7 --sign " + key("operator-ec-no-public.pem") + " --operator-key ";
        fails(line + key("operator-rsa-public.pem"), "are not halves of one key");
        assertThat(storage.orders).isEmpty();

        storage.refusesPolicies = true;
        fails(line + key("operator-ec-public.pem"), "tpm20 is enrolled, but does not open yet");
        assertThat(storage.quorum).isEqualTo(1);
    }

    @Test
    void enrollingSaysWhatIsWrong() throws Exception {
        String ec = key("operator-ec.pem");
        fails("vtpm:root enroll", "needs the name of a root of trust");
        fails("vtpm:root enroll nobody", "there is no root of trust nobody");
        fails("vtpm:root enroll tpm20 --pcrs 0-7", "openssl genpkey");
        fails("vtpm:root enroll tpm20 --sign " + ec, "give the PCRs");
        fails(
                "vtpm:root enroll tpm20 --pcrs 7 --sign " + key("operator-ec-no-public.pem"),
                "--operator-key PUB.pem too");
        fails("vtpm:root enroll tpm20 --take-ownership", "--owner-auth-file");
        fails("vtpm:root enroll tpm20 --recovery 1/1 --no-recovery", "not both");
        fails("vtpm:root enroll tpm20 --json", "vtpm:root enroll takes no --json");
        for (String pcrs : List.of("7-0", "24", "0,,1", "x", "0-24", "-1")) {
            fails("vtpm:root enroll tpm20 --pcrs=" + pcrs + " --sign " + ec, "are no PCRs");
        }
        for (String set : List.of("3/2", "0/1", "1/17", "2", "1/1/1")) {
            fails("vtpm:root enroll tpm20 --recovery " + set, "is no set of recovery keys");
        }
        fails("vtpm:root admit tpm20", "The action of vtpm:root is one of list, status, enroll");
        assertThat(storage.orders).isEmpty();
    }

    @Test
    void theOwnersAuthorizationIsReadAndForgotten() throws Exception {
        Path auth = Files.write(folder.resolve("auth"), new byte[] {1, 2, '\n'});

        shell.run("vtpm:root enroll tpm20 --owner-auth-file " + auth + " --take-ownership");
        shell.run("vtpm:root reseal tpm20 --owner-auth-file " + auth);
        shell.run("vtpm:root reseal tpm20");

        assertThat(storage.ownerAuths).containsExactly("01020a", "01020a", "");
        assertThat(storage.terms.ownerAuth()).containsOnly(0);
        assertThat(storage.orders).containsExactly("enroll tpm20 true", "reseal tpm20", "reseal tpm20");
    }

    @Test
    void resealTellsWhatIsStillMissing() throws Exception {
        storage.add("tpm20", true, new Examination(List.of("no policy was approved"), List.of(), 0));
        assertThat(shell.run("vtpm:root reseal tpm20")).contains("sealed anew", "no policy was approved");
    }

    @Test
    void aPolicyIsSignedElsewhere() throws Exception {
        storage.operatorKey = OperatorKey.readPublic(OperatorKeyTest.file("operator-rsa-public.pem", folder));
        Path policy = folder.resolve("my policy");

        String output = shell.run("vtpm:root policy tpm20 --pcr 7=" + OTHER + " --out '" + policy + "'");

        String again = "vtpm:root policy tpm20 --pcr 0=" + FakeStorage.NOW + " --pcr 7=" + OTHER + " --signature '"
                + policy + ".sig'";
        assertThat(output)
                .contains("PCRs 0, 7", "  0=" + FakeStorage.NOW, "  7=" + OTHER)
                .contains("openssl dgst -sha256 -sign key.pem -out '" + policy + ".sig' '" + policy + "'")
                .contains(again);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(policy)))
                .isEqualTo("rw-------");
        fails("vtpm:root policy tpm20 --out '" + policy + "'", "not overwritten");

        Path signature = folder.resolve("my policy.sig");
        Files.write(signature, new byte[64]);
        fails(again, "the signature is not the operator's");
        OperatorKey.Private key = OperatorKey.readPrivate(OperatorKeyTest.file("operator-rsa.pem", folder));
        Files.write(signature, key.sign(Files.readAllBytes(policy)));
        assertThat(shell.run(again)).contains("tpm20: approved of these values of PCRs 0, 7");
        assertThat(storage.orders).containsExactly("approve tpm20 [0=" + FakeStorage.NOW + ", 7=" + OTHER + "]");
    }

    @Test
    void aPolicyIsSignedHere() throws Exception {
        storage.operatorKey = OperatorKey.readPublic(OperatorKeyTest.file("operator-ec-public.pem", folder));
        shell.run("vtpm:root policy tpm20 --sign " + key("operator-ec-no-public.pem"));
        assertThat(storage.orders).hasSize(1);
    }

    @Test
    void policySaysWhatIsWrong() {
        fails("vtpm:root policy tpm20", "Give one of --out");
        fails("vtpm:root policy tpm20 --out a --sign b", "Give one of --out");
        fails("vtpm:root policy tpm20 --signature " + folder.resolve("none"), "there is no such file");
        fails("vtpm:root policy tpm20 --out " + folder.resolve("none/file"), "cannot be written");
        for (String value : List.of("7", "7=ab", "24=" + OTHER, "7=" + OTHER + "0", "x=" + OTHER)) {
            fails("vtpm:root policy tpm20 --out a --pcr " + value, "--pcr is a PCR's index and its value");
        }
        fails("vtpm:root policy tpm20 --out a --pcr 7=" + OTHER + " --pcr 7=" + OTHER, "gives PCR 7 two values");
        fails("vtpm:root policy tpm20 --pcrs 7 --out a", "takes no --pcrs");
    }

    @Test
    void aRootIsWithdrawn() throws Exception {
        assertThat(shell.run("vtpm:root withdraw software")).contains("software: withdrawn");
        fails("vtpm:root withdraw nobody", "there is no root of trust nobody");
        fails("vtpm:root withdraw a b", "Too many arguments: b");
        assertThat(storage.orders).containsExactly("withdraw software");
    }

    @Test
    void recoveryReadsKeysFromAFile() throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "\n  0102 0304  \r\nabcd\n\n");
        fails("vtpm:root recover --keys-file " + keys, "No recovery keys were made");

        storage.quorum = 2;
        storage.add("tpm20", true, new Examination(List.of("PCR 7 differs"), List.of(), 1));
        assertThat(shell.run("vtpm:root recover --keys-file " + keys))
                .contains("The storage is open", "tpm20: PCR 7 differs")
                .doesNotContain("software:");
        assertThat(storage.triedKeys).containsExactly("0102 0304", "abcd");
        assertThat(storage.keysTried).allSatisfy(key -> assertThat(key).containsOnly('\0'));

        storage.quorum = 3;
        fails("vtpm:root recover --keys-file " + keys, "these keys do not open it");
        fails(
                "vtpm:root recover --keys-file " + Files.writeString(folder.resolve("empty"), "\n"),
                "no recovery key in");
    }

    @Test
    void recoveryAsksForKeysWithoutEcho() throws Exception {
        storage.quorum = 2;
        Deque<String> typed = new ArrayDeque<>(List.of(" first ", "second"));
        List<String> prompts = shell.answer(typed);

        shell.run("vtpm:root recover");

        assertThat(storage.triedKeys).containsExactly("first", "second");
        assertThat(prompts).containsExactly("Recovery key 1 of 2:  \0", "Recovery key 2 of 2:  \0");
        assertThat(storage.keysTried).allSatisfy(key -> assertThat(key).containsOnly('\0'));

        typed.add("");
        fails("vtpm:root recover", "No key was given");
    }

    @Test
    void withoutATerminalNobodyIsAsked() {
        storage.quorum = 1;
        fails("vtpm:root recover", "--keys-file");
    }

    @Test
    void actionsAndNamesAreCompleted() {
        assertThat(shell.complete("vtpm:root ")).contains("list", "recover");
        assertThat(shell.complete("vtpm:root status ")).contains("software", "tpm20");
    }

    private void fails(String line, String message) {
        assertThatThrownBy(() -> shell.run(line))
                .as(line)
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(message);
    }
}
