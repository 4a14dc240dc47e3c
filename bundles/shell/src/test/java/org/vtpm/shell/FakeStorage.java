package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.PolicyDraft;
import org.vtpm.api.storage.RootAdministration;
import org.vtpm.api.storage.RootStatus;
import org.vtpm.api.storage.StateException;
import org.vtpm.api.storage.StorageAdministration;
import org.vtpm.api.storage.StorageStatus;

/**
 * A storage in memory that remembers what the shell ordered. Signatures are verified in earnest: with the key that a root was
 * enrolled with, or the operator's.
 */
final class FakeStorage implements RootAdministration, StorageAdministration {
    /** What every PCR has now. */
    static final String NOW = "ab".repeat(32);

    /** A SubjectPublicKeyInfo on X25519, of the example in RFC 8410, section 10.1, but for its algorithm. */
    static final byte[] HOST_KEY = HexFormat.of()
            .parseHex("302a300506032b656e03210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");

    final Map<String, RootStatus> roots = new LinkedHashMap<>();
    final List<String> orders = new ArrayList<>();
    final List<char[]> madeKeys = new ArrayList<>();
    final List<String> findings = new ArrayList<>();
    /** What recovery was tried with. */
    final List<String> triedKeys = new ArrayList<>();

    /** The same, as it was handed over. */
    final List<char[]> keysTried = new ArrayList<>();

    boolean refusesPolicies;

    @Nullable
    SealingTerms terms;

    /** Owner's authorization values, in hexadecimal, as they were at the time. */
    final List<String> ownerAuths = new ArrayList<>();

    byte[] operatorKey = {};
    int quorum;
    String anchorRoot = "";
    String problem = "";
    List<UUID> refused = List.of();

    void add(String name, boolean enrolled, @Nullable Examination examination) {
        roots.put(
                name,
                new RootStatus(name, "/dev/" + name, true, false, enrolled, false, examination, OptionalLong.empty()));
    }

    static boolean verifies(byte[] publicKey, byte[] content, byte[] signature) {
        for (String algorithm : new String[] {"RSA", "EC"}) {
            try {
                Signature verifier =
                        Signature.getInstance(algorithm.equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA");
                verifier.initVerify(
                        KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(publicKey)));
                verifier.update(content);
                return verifier.verify(signature);
            } catch (InvalidKeySpecException e) {
                assertThat(algorithm).as("a key of neither kind").isEqualTo("RSA");
            } catch (GeneralSecurityException e) {
                return false;
            }
        }
        return false;
    }

    @Override
    public List<RootStatus> roots() {
        return List.copyOf(roots.values());
    }

    private void check(String root) throws StateException {
        if (!roots.containsKey(root)) {
            throw new StateException("there is no root of trust " + root);
        }
    }

    @Override
    public void enroll(String root, SealingTerms newTerms) throws StateException {
        check(root);
        terms = newTerms;
        ownerAuths.add(HexFormat.of().formatHex(newTerms.ownerAuth()));
        orders.add("enroll " + root + " " + newTerms.takeOwnership());
    }

    @Override
    public void reseal(String root, byte[] ownerAuth) throws StateException {
        check(root);
        ownerAuths.add(HexFormat.of().formatHex(ownerAuth));
        orders.add("reseal " + root);
    }

    @Override
    public void withdraw(String root) throws StateException {
        check(root);
        orders.add("withdraw " + root);
    }

    @Override
    public PolicyDraft draft(String root, List<PcrValue> values) throws StateException {
        check(root);
        Map<Integer, PcrValue> all = new TreeMap<>();
        for (int index : terms == null ? Set.of(0, 7) : terms.pcrs()) {
            all.put(index, new PcrValue(index, HexFormat.of().parseHex(NOW)));
        }
        values.forEach(value -> all.put(value.index(), value));
        List<PcrValue> drafted = List.copyOf(all.values());
        return new PolicyDraft(drafted, toSign(drafted));
    }

    private static byte[] toSign(List<PcrValue> values) {
        return ("policy " + values).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void approve(String root, List<PcrValue> values, byte[] signature) throws StateException {
        byte[] key = terms == null ? operatorKey : terms.operatorKey();
        if (refusesPolicies || !verifies(key, toSign(values), signature)) {
            throw new StateException("the signature is not the operator's");
        }
        orders.add("approve " + root + " " + values);
    }

    @Override
    public List<char[]> makeRecoveryKeys(int newQuorum, int count) {
        quorum = newQuorum;
        for (int i = 1; i <= count; i++) {
            madeKeys.add(("key-" + i + "-of-" + count).toCharArray());
        }
        return madeKeys;
    }

    @Override
    public void recover(List<char[]> keys) throws StateException {
        keysTried.addAll(keys);
        keys.forEach(key -> triedKeys.add(new String(key)));
        if (keys.size() < quorum) {
            throw new StateException("these keys do not open it");
        }
        orders.add("recover");
    }

    @Override
    public int recoveryQuorum() {
        return quorum;
    }

    @Override
    public StorageStatus status() {
        return new StorageStatus(
                "/var/vtpm",
                3,
                1000,
                200,
                5,
                2,
                ReplayPolicy.STRICT,
                anchorRoot,
                anchorRoot.isEmpty() ? OptionalLong.empty() : OptionalLong.of(17),
                4,
                refused,
                problem);
    }

    @Override
    public List<String> verify() {
        return findings;
    }

    @Override
    public void compact() {
        orders.add("compact");
    }

    @Override
    public void rotate(KeyLevel level) throws StateException {
        if (level == KeyLevel.HOST) {
            throw new StateException("the root of trust tpm20 is not there");
        }
        orders.add("rotate " + level);
    }

    @Override
    public void replayPolicy(ReplayPolicy policy) {
        orders.add("replay " + policy);
    }

    @Override
    public void operatorKey(byte[] key) {
        operatorKey = key;
    }

    @Override
    public byte[] revertToken(UUID instance) throws StateException {
        if (!refused.contains(instance)) {
            throw new StateException("the state of " + instance + " is not old");
        }
        return ("revert " + instance + "\nonce\n").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void revert(UUID instance, byte[] signature) throws StateException {
        if (!verifies(operatorKey, revertToken(instance), signature)) {
            throw new StateException("the signature is not the operator's");
        }
        orders.add("revert " + instance);
    }

    @Override
    public byte[] hostKey() {
        return HOST_KEY.clone();
    }
}
