package org.vtpm.itests.root20;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.itests.process.Swtpm;

/** Sealing to a TPM 2.0 and to the state of the host: who may open what, and what operators read when they may not. */
class Tpm20RootIT {
    private static final byte[] SECRET = "a secret of thirty-two bytes 123".getBytes(UTF_8);
    private static final Set<Integer> PCRS = Set.of(0, 4, 7, 23);
    private static final int CHECKSUM = 32;

    @TempDir
    private Path folder;

    private Tpm2 tpm;
    private RootOfTrust root;

    @BeforeEach
    void powerOn() throws Exception {
        tpm = Tpm2.start(folder.resolve("tpm"));
        root = Roots.at(tpm.place());
    }

    @AfterEach
    void powerOff() {
        tpm.close();
    }

    @Test
    void whatIsSealedToTheTpmOpensThereAlsoAfterARestart() throws Exception {
        for (int length : new int[] {1, 32, 64}) {
            byte[] secret = Arrays.copyOf(SECRET, length);
            byte[] sealed = root.seal(secret, SealingTerms.NONE);
            assertThat(root.unseal(sealed)).isEqualTo(secret);
            assertThat(root.examine(sealed)).isEqualTo(new Examination(List.of(), List.of(), 0));
            tpm.restart();
            assertThat(root.unseal(sealed)).isEqualTo(secret);
        }
        for (int length : new int[] {0, 65}) {
            assertThatThrownBy(() -> root.seal(new byte[length], SealingTerms.NONE))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("1 to 64");
        }
        assertThat(tpm.leftovers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void whatIsSealedToPcrsOpensInApprovedStatesOnly(Signer.Kind kind) throws Exception {
        Signer signer = Signer.make(folder, kind);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, terms(PCRS, signer));
        assertStaysClosed(sealed, "no state of the host is approved yet");

        List<PcrValue> now = policies.pcrs(PCRS);
        sealed = policies.approve(sealed, SECRET, now, signer.sign(policies.toSign(sealed, now)));
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);

        // The next state is signed before it comes: by what the tools say that the PCR is going to be.
        List<PcrValue> next = new ArrayList<>(now);
        next.set(1, new PcrValue(4, extended(now.get(1).value(), "new boot loader")));
        byte[] both = policies.approve(sealed, SECRET, next, signer.sign(policies.toSign(sealed, next)));
        assertThat(root.unseal(both)).isEqualTo(SECRET);
        tpm.extend(4, "new boot loader");
        assertStaysClosed(sealed, "PCR 4=");
        assertThat(root.examine(sealed).differences())
                .containsExactly(new Examination.PcrDifference(next.get(1), now.get(1)));
        assertThat(root.unseal(both)).isEqualTo(SECRET);
        assertThat(root.examine(both)).isEqualTo(new Examination(List.of(), List.of(), 2));

        tpm.restart();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        tpm.extend(7, "other keys of Secure Boot");
        tpm.extend(0, "other firmware");
        assertStaysClosed(both, "PCR 0=", "PCR 7=", "approve it");
        assertThat(root.examine(both).differences())
                .extracting(each -> each.now().index())
                .containsExactly(0, 7);
        assertThat(tpm.leftovers()).isEmpty();
    }

    @Test
    void ourDigestsAreThoseOfTheTools() throws Exception {
        Signer signer = Signer.make(folder, Signer.Kind.RSA);
        PlatformPolicies policies = root.policies().orElseThrow();
        tpm.extend(16, "something");
        Set<Integer> pcrs = Set.of(0, 1, 4, 7, 8, 9, 16, 23);
        byte[] sealed = root.seal(SECRET, terms(pcrs, signer));
        byte[] toSign = policies.toSign(sealed, policies.pcrs(pcrs));

        tpm.tool("tpm2_createpolicy", "--policy-pcr", "-l", "sha256:0,1,4,7,8,9,16,23", "-L", "pcr.policy");
        byte[] pcrPolicy = Files.readAllBytes(tpm.folder().resolve("pcr.policy"));
        assertThat(toSign).startsWith(pcrPolicy);

        byte[] reference = Arrays.copyOfRange(toSign, pcrPolicy.length, toSign.length);
        Files.write(tpm.folder().resolve("reference"), reference);
        byte[] publicArea = Fields.of(sealed).object();
        byte[] policy = Fields.authPolicy(publicArea);
        Files.write(tpm.folder().resolve("key.name"), Fields.name(Fields.signingKey(signer.publicKey())));
        Files.write(tpm.folder().resolve("key.pub"), sized(Fields.signingKey(signer.publicKey())));
        tpm.tool("tpm2_loadexternal", "-C", "o", "-u", "key.pub", "-c", "key.ctx", "-n", "key.name.tool");
        assertThat(tpm.folder().resolve("key.name"))
                .hasSameBinaryContentAs(tpm.folder().resolve("key.name.tool"));
        tpm.tool("tpm2_startauthsession", "-S", "trial");
        tpm.tool(
                "tpm2_policyauthorize",
                "-S",
                "trial",
                "-i",
                "pcr.policy",
                "-q",
                "reference",
                "-n",
                "key.name",
                "-L",
                "authorize.policy");
        tpm.tool("tpm2_flushcontext", "trial");
        assertThat(tpm.folder().resolve("authorize.policy")).hasBinaryContent(policy);
    }

    @Test
    void signaturesOfOthersAndForOtherThingsDoNotCount() throws Exception {
        Signer signer = Signer.make(folder, Signer.Kind.RSA);
        Signer other = Signer.make(folder.resolve("other"), Signer.Kind.RSA);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, terms(PCRS, signer));
        List<PcrValue> now = policies.pcrs(PCRS);
        byte[] toSign = policies.toSign(sealed, now);
        byte[] withoutReference = Arrays.copyOf(toSign, 32);
        List<byte[]> wrong = List.of(
                other.sign(toSign), signer.sign(withoutReference), new byte[0], new byte[256], signer.sign(SECRET));
        for (byte[] signature : wrong) {
            assertThatThrownBy(() -> policies.approve(sealed, SECRET, now, signature))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("no signature of the operator's key");
        }

        // Nor when somebody puts it into the blob.
        byte[] signature = signer.sign(toSign);
        byte[] good = policies.approve(sealed, SECRET, now, signature);
        int at = indexOf(good, signature);
        byte[] forged = good.clone();
        System.arraycopy(other.sign(toSign), 0, forged, at, signature.length);
        assertStaysClosed(Fields.withChecksum(forged), "signature");
    }

    @Test
    void pcrsAreReadAsTheToolsReadThem() throws Exception {
        // PCRs 17 to 22 are extended from other localities than the tools'.
        for (int pcr = 0; pcr < 17; pcr++) {
            tpm.extend(pcr, "measurement " + pcr);
        }
        Set<Integer> all = IntStream.range(0, 24).boxed().collect(Collectors.toSet());
        String read = tpm.tool("tpm2_pcrread", "sha256").toLowerCase(Locale.ROOT);
        List<PcrValue> values = root.policies().orElseThrow().pcrs(all);
        assertThat(values)
                .extracting(PcrValue::index)
                .containsExactlyElementsOf(IntStream.range(0, 24).boxed().toList());
        for (PcrValue value : values) {
            assertThat(read)
                    .containsPattern(value.index() + " *: 0x" + HexFormat.of().formatHex(value.value()));
        }
        // With a blob that names the TPM, they are read from no other.
        root.seal(SECRET, SealingTerms.NONE);
        assertThat(root.policies().orElseThrow().pcrs(all)).isEqualTo(values);
        assertThat(tpm.leftovers()).isEmpty();
    }

    @Test
    void theLatestEightPoliciesStay() throws Exception {
        Signer signer = Signer.make(folder, Signer.Kind.EC);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, terms(Set.of(7), signer));
        byte[] value = new byte[32];
        for (int i = 0; i <= 9; i++) {
            value[0] = (byte) i;
            List<PcrValue> values = List.of(new PcrValue(7, value.clone()));
            sealed = policies.approve(sealed, SECRET, values, signer.sign(policies.toSign(sealed, values)));
        }
        assertThat(root.examine(sealed).approved()).isEqualTo(8);
        assertStaysClosed(sealed, "PCR 7=");
    }

    @Test
    void termsThatCannotBeKeptAreRefused() throws Exception {
        Signer signer = Signer.make(folder, Signer.Kind.EC);
        for (SealingTerms terms : List.of(
                new SealingTerms(Set.of(24), signer.publicKey(), new byte[0], false),
                new SealingTerms(Set.of(-1), signer.publicKey(), new byte[0], false),
                new SealingTerms(Set.of(7), new byte[0], new byte[0], false),
                new SealingTerms(Set.of(), signer.publicKey(), new byte[0], false),
                new SealingTerms(Set.of(7), SECRET, new byte[0], false),
                new SealingTerms(Set.of(), new byte[0], "wrong".getBytes(UTF_8), false))) {
            assertThatThrownBy(() -> root.seal(SECRET, terms)).isInstanceOf(RootOfTrustException.class);
        }
        byte[] unconditional = root.seal(SECRET, SealingTerms.NONE);
        PlatformPolicies policies = root.policies().orElseThrow();
        assertThatThrownBy(() -> policies.toSign(unconditional, List.of()))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("nothing to approve");
        byte[] sealed = root.seal(SECRET, terms(Set.of(7), signer));
        for (List<PcrValue> values : List.of(
                List.<PcrValue>of(),
                List.of(new PcrValue(6, new byte[32])),
                List.of(new PcrValue(7, new byte[20])),
                List.of(new PcrValue(7, new byte[32]), new PcrValue(7, new byte[32])))) {
            assertThatThrownBy(() -> policies.toSign(sealed, values)).isInstanceOf(RootOfTrustException.class);
        }
        assertThat(tpm.leftovers()).isEmpty();
        assertThat(tpm.lockoutCounter()).isZero();
    }

    /** Also with a checksum that fits, as whoever changes it on purpose makes it. */
    @Test
    void aBlobWithAnyByteChangedStaysClosedOrIsAsGood() throws Exception {
        Signer signer = Signer.make(folder, Signer.Kind.EC);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, terms(PCRS, signer));
        List<PcrValue> now = policies.pcrs(PCRS);
        sealed = policies.approve(sealed, SECRET, now, signer.sign(policies.toSign(sealed, now)));
        int opened = 0;
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= (byte) (1 << i % 8);
            assertThatThrownBy(() -> root.unseal(changed)).isInstanceOf(RootOfTrustException.class);
            assertThat(root.examine(changed).opens()).isFalse();
            if (i < sealed.length - CHECKSUM) {
                try {
                    assertThat(root.unseal(Fields.withChecksum(changed))).isEqualTo(SECRET);
                    opened++;
                } catch (RootOfTrustException e) {
                    assertThat(e).hasMessageMatching("(?s).{30,}");
                }
            }
        }
        // Only the name of the endorsement key, which is there for the operator, may be changed without any effect.
        assertThat(opened).isLessThanOrEqualTo(34);
        for (int length = 0; length < sealed.length; length++) {
            byte[] cut = Arrays.copyOf(sealed, length);
            assertThatThrownBy(() -> root.unseal(cut)).isInstanceOf(RootOfTrustException.class);
        }
        assertThat(tpm.leftovers()).isEmpty();
        assertThat(tpm.lockoutCounter()).isZero();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
    }

    @Test
    void aClearedTpmAndAnotherOneAreToldApart() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        try (Tpm2 other = Tpm2.start(folder.resolve("other"))) {
            RootOfTrust elsewhere = Roots.at(other.place());
            assertThatThrownBy(() -> elsewhere.unseal(sealed))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("this is another TPM than the one that sealed")
                    .hasMessageContaining("enrol this TPM");
            assertThat(other.leftovers()).isEmpty();
        }
        tpm.tool("tpm2_clear", "-c", "p");
        assertStaysClosed(sealed, "the TPM was cleared since this was sealed", "enrol this TPM");
        assertThat(root.unseal(root.seal(SECRET, SealingTerms.NONE))).isEqualTo(SECRET);
        assertThat(tpm.leftovers()).isEmpty();
    }

    @Test
    void aTpmThatIsNotThereIsToldAndFoundAgain() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        tpm.close();
        assertStaysClosed(sealed, tpm.place(), "start what serves this address");
        tpm.restart();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
    }

    @Test
    void anOwnersPasswordIsNeededOnceOnly() throws Exception {
        tpm.tool("tpm2_changeauth", "-c", "owner", "password");
        assertThatThrownBy(() -> root.seal(SECRET, SealingTerms.NONE))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("has a password");
        assertThatThrownBy(() -> root.seal(SECRET, owner("wrong")))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("not the password");
        byte[] sealed = root.seal(SECRET, owner("password"));
        assertThat(tpm.tool("tpm2_getcap", "handles-persistent")).contains("0x81000001");
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        tpm.restart();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertThat(root.unseal(root.seal(SECRET, SealingTerms.NONE))).isEqualTo(SECRET);
        assertThat(tpm.tool("tpm2_getcap", "handles-persistent").lines()).hasSize(1);

        tpm.tool("tpm2_evictcontrol", "-C", "o", "-P", "password", "-c", "0x81000001");
        assertStaysClosed(sealed, "no persistent object", "tpm2_changeauth");
        assertThat(tpm.lockoutCounter()).isZero();
        assertThat(tpm.leftovers()).isEmpty();
    }

    @Test
    void aTpm12IsTold() throws Exception {
        try (Swtpm old = Swtpm.start(folder.resolve("old"))) {
            RootOfTrust wrong = Roots.at("unix:" + old.folder().resolve("data.sock"));
            assertThatThrownBy(() -> wrong.seal(SECRET, SealingTerms.NONE))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("is a TPM 1.2");
        }
    }

    @Test
    void severalThreadsTakeTurns() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        List<CompletableFuture<byte[]>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(CompletableFuture.supplyAsync(() -> {
                try {
                    return root.unseal(sealed);
                } catch (RootOfTrustException e) {
                    throw new IllegalStateException(e);
                }
            }));
        }
        for (CompletableFuture<byte[]> each : all) {
            assertThat(each.get()).isEqualTo(SECRET);
        }
        assertThat(tpm.leftovers()).isEmpty();
    }

    /** Windows and others keep an RSA key where the TCG wants the storage root key to be. */
    @Test
    void anotherStorageRootKeyIsLeftAlone() throws Exception {
        tpm.tool("tpm2_createprimary", "-C", "o", "-G", "rsa", "-c", "rsa.ctx");
        tpm.tool("tpm2_evictcontrol", "-C", "o", "-c", "rsa.ctx", "0x81000001");
        tpm.tool("tpm2_changeauth", "-c", "owner", "password");
        tpm.flush();
        byte[] sealed = root.seal(SECRET, owner("password"));
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertThat(tpm.tool("tpm2_getcap", "handles-persistent")).contains("0x81000001", "0x81000002");
    }

    @Test
    void aTpmWhoseMemoryOthersFilledSaysSo() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        for (int i = 0; i < 3; i++) {
            tpm.tool("tpm2_createprimary", "-C", "n", "-G", "ecc", "-c", "filler.ctx");
        }
        assertStaysClosed(sealed, "tpm2_flushcontext -t");
        tpm.flush();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
    }

    @Test
    void failuresNeverLockTheTpmOut() throws Exception {
        Signer signer = Signer.make(folder, Signer.Kind.EC);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, terms(PCRS, signer));
        List<PcrValue> now = policies.pcrs(PCRS);
        sealed = policies.approve(sealed, SECRET, now, signer.sign(policies.toSign(sealed, now)));
        tpm.extend(23, "something else");
        for (int i = 0; i < 50; i++) {
            assertStaysClosed(sealed, "PCR 23=");
        }
        assertThat(tpm.lockoutCounter()).isZero();
        assertThat(tpm.leftovers()).isEmpty();
    }

    private void assertStaysClosed(byte[] sealed, String... words) {
        assertThatThrownBy(() -> root.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .satisfies(e -> assertThat(e.getMessage()).contains(words));
        Examination examination = root.examine(sealed);
        assertThat(examination.opens()).isFalse();
        assertThat(String.join("; ", examination.problems())).contains(words);
    }

    private static SealingTerms terms(Set<Integer> pcrs, Signer signer) throws Exception {
        return new SealingTerms(pcrs, signer.publicKey(), new byte[0], false);
    }

    private static SealingTerms owner(String password) {
        return new SealingTerms(Set.of(), new byte[0], password.getBytes(UTF_8), false);
    }

    private static byte[] extended(byte[] old, String what) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(old);
        return digest.digest(HexFormat.of().parseHex(Tpm2.sha256(what)));
    }

    private static byte[] sized(byte[] bytes) {
        byte[] sized = new byte[2 + bytes.length];
        sized[0] = (byte) (bytes.length >>> 8);
        sized[1] = (byte) bytes.length;
        System.arraycopy(bytes, 0, sized, 2, bytes.length);
        return sized;
    }

    private static int indexOf(byte[] all, byte[] part) {
        for (int at = 0; at <= all.length - part.length; at++) {
            if (Arrays.equals(Arrays.copyOfRange(all, at, at + part.length), part)) {
                return at;
            }
        }
        throw new AssertionError("not there");
    }
}
