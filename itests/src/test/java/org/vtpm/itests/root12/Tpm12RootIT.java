package org.vtpm.itests.root12;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
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
import org.vtpm.itests.root20.Signer;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Wire;

/** Sealing to a TPM 1.2 and to the state of the host: who may open what, and what operators read when they may not. */
class Tpm12RootIT {
    private static final byte[] SECRET = "a secret of thirty-two bytes 123".getBytes(UTF_8);
    private static final byte[] OWNER = Wire.sha1("the owner's password".getBytes(UTF_8));
    private static final byte[] NONE = {};
    private static final Set<Integer> PCRS = Set.of(0, 4, 7, 16);
    private static final int CHECKSUM = 32;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path folder;

    private final List<Chip> chips = new ArrayList<>();

    @AfterEach
    void powerOff() {
        chips.forEach(Chip::close);
    }

    private Chip chip(Chip.Maker maker) throws Exception {
        Chip chip = maker.chip(folder.resolve("tpm" + chips.size()));
        chips.add(chip);
        return chip;
    }

    private static SealingTerms owned() {
        return new SealingTerms(Set.of(), NONE, OWNER, true);
    }

    private static SealingTerms terms(Signer signer) throws Exception {
        return new SealingTerms(PCRS, signer.publicKey(), OWNER, true);
    }

    private static void assertStaysClosed(RootOfTrust root, byte[] sealed, String... words) {
        assertThatThrownBy(() -> root.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContainingAll(words);
        Examination examination = root.examine(sealed);
        assertThat(examination.opens()).isFalse();
        assertThat(String.join("; ", examination.problems())).contains(words);
    }

    @ParameterizedTest
    @EnumSource
    void whatIsSealedToTheTpmOpensThereAlsoAfterARestart(Chip.Maker maker) throws Exception {
        Chip chip = chip(maker);
        RootOfTrust root = Roots.at(chip.place());
        for (int length : new int[] {1, 32, 64}) {
            byte[] secret = Arrays.copyOf(SECRET, length);
            byte[] sealed = root.seal(secret, owned());
            assertThat(root.unseal(sealed)).isEqualTo(secret);
            assertThat(root.examine(sealed)).isEqualTo(new Examination(List.of(), List.of(), 0));
            chip.restart();
            assertThat(root.unseal(sealed)).isEqualTo(secret);
            assertThat(root.unseal(root.reseal(sealed, SECRET, NONE))).isEqualTo(SECRET);
        }
        for (int length : new int[] {0, 65}) {
            assertThatThrownBy(() -> root.seal(new byte[length], owned()))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("1 to 64");
        }
        assertThat(chip.leftovers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void whatIsSealedToPcrsOpensInApprovedStatesOnly(Chip.Maker maker) throws Exception {
        Chip chip = chip(maker);
        RootOfTrust root = Roots.at(chip.place());
        Signer signer = Signer.make(folder, maker == Chip.Maker.OURS ? Signer.Kind.EC : Signer.Kind.RSA);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, terms(signer));
        assertThat(policies.indices(sealed)).isEqualTo(PCRS);
        assertStaysClosed(root, sealed, "no state of the host is approved yet");

        List<PcrValue> now = policies.pcrs(PCRS);
        sealed = policies.approve(sealed, SECRET, now, signer.sign(policies.toSign(sealed, now)));
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);

        // The next state is signed before it comes.
        List<PcrValue> next = new ArrayList<>(now);
        byte[] measurement = Wire.sha1("new boot loader".getBytes(UTF_8));
        next.set(1, new PcrValue(4, Wire.sha1(now.get(1).value(), measurement)));
        byte[] both = policies.approve(sealed, SECRET, next, signer.sign(policies.toSign(sealed, next)));
        assertThat(root.unseal(both)).isEqualTo(SECRET);
        chip.extend(4, "new boot loader");
        assertStaysClosed(root, sealed, "PCR 4=");
        assertThat(root.examine(sealed).differences())
                .containsExactly(new Examination.PcrDifference(next.get(1), now.get(1)));
        assertThat(root.unseal(both)).isEqualTo(SECRET);
        assertThat(root.examine(both)).isEqualTo(new Examination(List.of(), List.of(), 2));

        chip.restart();
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        byte[] again = root.reseal(both, "another secret".getBytes(UTF_8), NONE);
        assertThat(root.unseal(again)).isEqualTo("another secret".getBytes(UTF_8));
        chip.extend(7, "other keys of Secure Boot");
        chip.extend(0, "other firmware");
        assertStaysClosed(root, both, "PCR 0=", "PCR 7=", "approve it");
        assertStaysClosed(root, again, "PCR 0=", "PCR 7=", "approve it");
        assertThat(chip.leftovers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void signaturesOfOthersAndForOtherThingsDoNotCount(Chip.Maker maker) throws Exception {
        RootOfTrust root = Roots.at(chip(maker).place());
        Signer signer = Signer.make(folder, Signer.Kind.RSA);
        Signer other = Signer.make(folder.resolve("other"), Signer.Kind.RSA);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] sealed = root.seal(SECRET, terms(signer));
        List<PcrValue> now = policies.pcrs(PCRS);
        byte[] toSign = policies.toSign(sealed, now);
        byte[] withoutLabel = Arrays.copyOfRange(toSign, 1, toSign.length);
        for (byte[] signature : List.of(other.sign(toSign), signer.sign(withoutLabel), NONE, new byte[256])) {
            assertThatThrownBy(() -> policies.approve(sealed, SECRET, now, signature))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("no signature of the operator's key");
        }
        assertThatThrownBy(() -> policies.toSign(root.seal(SECRET, owned()), now))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("nothing to approve of");
    }

    @ParameterizedTest
    @EnumSource
    void pcrsAreReadAsOthersReadThem(Chip.Maker maker) throws Exception {
        Chip chip = chip(maker);
        RootOfTrust root = Roots.at(chip.place());
        for (int pcr = 0; pcr < 16; pcr++) {
            chip.extend(pcr, "measurement " + pcr);
        }
        Set<Integer> all = IntStream.range(0, 24).boxed().collect(Collectors.toSet());
        PlatformPolicies policies = root.policies().orElseThrow();
        List<PcrValue> before = policies.pcrs(all);
        // With a blob that names the TPM, they are read from no other.
        root.seal(SECRET, owned());
        assertThat(policies.pcrs(all)).isEqualTo(before);
        for (PcrValue value : before) {
            byte[] read =
                    chip.with(client -> client.pcrRead(value.index()).orFail().body());
            assertThat(value.value()).isEqualTo(read);
        }
        assertThat(before).hasSize(24);
    }

    @ParameterizedTest
    @EnumSource
    void aForeignTpmIsTold(Chip.Maker maker) throws Exception {
        RootOfTrust root = Roots.at(chip(maker).place());
        byte[] sealed = root.seal(SECRET, owned());
        Chip other = chip(maker);
        RootOfTrust foreign = Roots.at(other.place());
        // Without an owner it tells its endorsement key, with one it tells nobody.
        assertStaysClosed(foreign, sealed, "is another TPM than the one that sealed this");
        foreign.seal(SECRET, owned());
        assertStaysClosed(foreign, sealed, "was cleared, or is another one", "another storage root key");
        assertThat(other.leftovers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void aClearedTpmIsToldAndGetsTheSecretAgain(Chip.Maker maker) throws Exception {
        Chip chip = chip(maker);
        RootOfTrust root = Roots.at(chip.place());
        Signer signer = Signer.make(folder, Signer.Kind.RSA);
        PlatformPolicies policies = root.policies().orElseThrow();
        byte[] unapproved = root.seal(SECRET, terms(signer));
        List<PcrValue> now = policies.pcrs(PCRS);
        byte[] sealed = policies.approve(unapproved, SECRET, now, signer.sign(policies.toSign(unapproved, now)));
        chip.clear();
        assertStaysClosed(root, sealed, "was cleared", "has no owner");
        assertThatThrownBy(() -> root.reseal(sealed, SECRET, OWNER))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("no owner");
        root.seal(SECRET, owned());
        assertStaysClosed(root, sealed, "was cleared", "another storage root key");
        assertThatThrownBy(() -> root.reseal(sealed, SECRET, NONE)).isInstanceOf(RootOfTrustException.class);
        byte[] resealed = root.reseal(sealed, SECRET, OWNER);
        assertThat(root.unseal(resealed)).isEqualTo(SECRET);
        assertThat(root.examine(resealed).approved()).isEqualTo(1);
        assertThat(chip.leftovers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void anOwnerIsNeededAndItsSecret(Chip.Maker maker) throws Exception {
        Chip chip = chip(maker);
        RootOfTrust root = Roots.at(chip.place());
        for (SealingTerms terms : List.of(SealingTerms.NONE, new SealingTerms(Set.of(), NONE, OWNER, false))) {
            assertThatThrownBy(() -> root.seal(SECRET, terms))
                    .isInstanceOf(RootOfTrustException.class)
                    .hasMessageContaining("has no owner");
        }
        root.seal(SECRET, owned());
        assertThatThrownBy(() -> root.seal(SECRET, SealingTerms.NONE))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("give the owner's secret");
        assertThatThrownBy(() -> root.seal(SECRET, new SealingTerms(Set.of(), NONE, new byte[20], true)))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("not the secret of the TPM's owner");
        assertThatThrownBy(() -> root.seal(SECRET, new SealingTerms(Set.of(), NONE, new byte[8], true)))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("20 bytes");
        // Until the owner lets everybody read the storage root key: TPM_SetCapability of readSRKPub.
        byte[] readSrkPub = Wire.concat(Wire.u32(1), Wire.sized(Wire.u32(17)), Wire.sized(new byte[] {1}));
        chip.with(client -> client.execute(Ordinal.SET_CAPABILITY, readSrkPub, Auth.once(client.oiap(), OWNER))
                .orFail());
        assertThat(root.unseal(root.seal(SECRET, SealingTerms.NONE))).isEqualTo(SECRET);
        assertThat(root.unseal(root.seal(SECRET, new SealingTerms(Set.of(), NONE, OWNER, false))))
                .isEqualTo(SECRET);
        assertThat(chip.leftovers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void theStorageRootKeyCanHaveASecret(Chip.Maker maker) throws Exception {
        Chip chip = chip(maker);
        Path file = Files.write(folder.resolve("srk"), Wire.sha1("the key's password".getBytes(UTF_8)));
        RootOfTrust root = Roots.at(chip.place(), PATIENCE, file.toString());
        byte[] sealed = root.seal(SECRET, owned());
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertStaysClosed(Roots.at(chip.place()), sealed, "srk.auth");
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertThat(chip.leftovers()).isEmpty();
    }

    @Test
    void aTpm20IsTold() throws Exception {
        Chip chip = SwtpmChip.start(folder.resolve("tpm2"), "--tpm2");
        chips.add(chip);
        assertThatThrownBy(() -> Roots.at(chip.place()).seal(SECRET, owned()))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("configure the root of trust for TPM 2.0");
    }

    @ParameterizedTest
    @EnumSource
    void noByteOfABlobIsChangedUnnoticed(Chip.Maker maker) throws Exception {
        Chip chip = chip(maker);
        RootOfTrust root = Roots.at(chip.place());
        byte[] sealed = root.seal(SECRET, owned());
        int endorsement = 8 + 2 + 2;
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= 1;
            assertThatThrownBy(() -> root.unseal(changed)).as("byte %d", i).isInstanceOf(RootOfTrustException.class);
            // Whoever changes it can make the checksum right. The endorsement key's digest is for the error messages
            // only.
            boolean matters = i < endorsement || i >= endorsement + 20;
            if (i < sealed.length - CHECKSUM && matters) {
                byte[] fixed = withChecksum(changed);
                assertThatThrownBy(() -> root.unseal(fixed)).as("byte %d", i).isInstanceOf(RootOfTrustException.class);
            }
        }
        assertThat(root.unseal(sealed)).isEqualTo(SECRET);
        assertThat(chip.leftovers()).isEmpty();
    }

    private static byte[] withChecksum(byte[] sealed) throws Exception {
        int end = sealed.length - CHECKSUM;
        byte[] fixed = sealed.clone();
        byte[] checksum = MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(sealed, end));
        System.arraycopy(checksum, 0, fixed, end, CHECKSUM);
        return fixed;
    }
}
