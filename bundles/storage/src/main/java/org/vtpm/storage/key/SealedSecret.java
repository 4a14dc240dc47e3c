package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Present;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U8;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Hpke;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;

/**
 * The host's secret as it lies on disk: sealed by each root of trust that is enrolled, and to the recovery keys. Any of
 * them opens it.
 *
 * @param id the secret's public name
 * @param copies at least one for each enrolled root of trust, its latest first
 * @param recovery for the recovery keys, if there are any
 */
public record SealedSecret(
        @Fixed(HostSecret.ID_LENGTH) byte[] id,
        @Counted(prefix = 2) List<Copy> copies,
        @Present @Nullable Recovery recovery) {
    private static final byte[] RECOVERY_PURPOSE = "vtpm storage 2: recovery".getBytes(US_ASCII);

    /**
     * The secret as one root of trust sealed it.
     *
     * @param root the root's name, UTF-8
     * @param sealed its blob
     * @param tag HMAC-SHA-256 over the root's name and the blob's terms, under a key that comes from the secret
     */
    public record Copy(
            @Sized(prefix = 2) byte[] root,
            @Sized byte[] sealed,
            @Fixed(Sha256.LENGTH) byte[] tag) {
        /** The root's name. */
        public String rootName() {
            return new String(root, UTF_8);
        }
    }

    /**
     * The secret for the recovery keys.
     *
     * @param quorum how many of the keys open it
     * @param publicKey what it is sealed to
     * @param sealed the secret
     */
    record Recovery(
            @U8 int quorum,
            @Fixed(Hpke.PUBLIC_KEY_LENGTH) byte[] publicKey,
            @Sized(prefix = 2) byte[] sealed) {
        RecoveryKeys.PublicHalf publicHalf() {
            return new RecoveryKeys.PublicHalf(quorum, publicKey);
        }
    }

    /** A secret that nobody holds yet. */
    public static SealedSecret of(HostSecret secret) {
        return new SealedSecret(secret.id(), List.of(), null);
    }

    /** The latest blob that a root of trust sealed. */
    public Optional<byte[]> blob(String root) {
        return blobs(root).stream().findFirst();
    }

    private List<byte[]> blobs(String root) {
        return copies.stream()
                .filter(copy -> copy.rootName().equals(root))
                .map(Copy::sealed)
                .toList();
    }

    private Copy latest(RootOfTrust root) throws IOException {
        return copies.stream()
                .filter(copy -> copy.rootName().equals(root.name()))
                .findFirst()
                .orElseThrow(() -> new IOException("root of trust \"" + root.name()
                        + "\" is not enrolled; enrolled are: " + String.join(", ", roots())));
    }

    /**
     * The latest blob of a root of trust, whose terms nobody changed.
     *
     * @param secret this secret
     * @throws IOException if somebody did, or the root is not enrolled
     */
    public byte[] genuine(RootOfTrust root, HostSecret secret) throws IOException {
        Copy copy = latest(root);
        try {
            if (!Secrets.equal(secret.tagOf(root.name(), root.terms(copy.sealed)), copy.tag)) {
                throw new IOException(
                        "the terms of root of trust \"" + root.name() + "\" in host.key were changed since it"
                                + " was enrolled: enroll it anew on the terms that it should have");
            }
            return copy.sealed;
        } catch (RootOfTrustException e) {
            throw refusal(root, e);
        }
    }

    private static IOException refusal(RootOfTrust root, RootOfTrustException e) {
        return new IOException("root of trust \"" + root.name() + "\" does not seal: " + e.getMessage(), e);
    }

    /** Names of the roots of trust that are enrolled. */
    public List<String> roots() {
        return copies.stream().map(Copy::rootName).distinct().toList();
    }

    /** Sealed by a root of trust. How it was sealed by it before stays, until {@link #settled}. */
    public SealedSecret sealed(RootOfTrust root, HostSecret secret, SealingTerms terms) throws IOException {
        return with(root, secret, copies, plaintext -> root.seal(plaintext, terms));
    }

    /**
     * Sealed by a root of trust on the terms of a blob of its, also of another secret; otherwise as {@link #sealed}.
     *
     * @param blob that is {@link #genuine}
     */
    public SealedSecret resealed(RootOfTrust root, HostSecret secret, byte[] blob, byte[] ownerAuth)
            throws IOException {
        return with(root, secret, copies, plaintext -> root.reseal(blob, plaintext, ownerAuth));
    }

    /** With one more policy approved in the latest blob of a root of trust. */
    public SealedSecret approved(
            RootOfTrust root, PlatformPolicies policies, HostSecret secret, List<PcrValue> values, byte[] signature)
            throws IOException {
        byte[] blob = genuine(root, secret);
        return with(root, secret, without(blob), plaintext -> policies.approve(blob, plaintext, values, signature));
    }

    /** The same while nothing releases the secret, by a root that need not seal it once more for that. */
    public SealedSecret approved(RootOfTrust root, PlatformPolicies policies, List<PcrValue> values, byte[] signature)
            throws IOException {
        Copy copy = latest(root);
        try {
            byte[] blob = policies.approve(copy.sealed, new byte[0], values, signature);
            List<Copy> next = without(copy.sealed);
            // What is approved is none of the terms.
            next.add(0, new Copy(copy.root, blob, copy.tag));
            return new SealedSecret(id, next, recovery);
        } catch (RootOfTrustException e) {
            throw refusal(root, e);
        }
    }

    private List<Copy> without(byte[] blob) {
        return copies.stream().filter(copy -> copy.sealed != blob).collect(Collectors.toCollection(ArrayList::new));
    }

    /**
     * Without the earlier blobs of a root of trust, if its latest opens now: until then a new seal does not lock anybody out.
     */
    public SealedSecret settled(RootOfTrust root) {
        Optional<byte[]> blob = blob(root.name());
        if (blob.isEmpty() || earlier(root.name()) == 0) {
            return this;
        }
        try {
            checked(root.unseal(blob.get())).close();
        } catch (RootOfTrustException | IOException closed) {
            return this;
        }
        return new SealedSecret(
                id,
                copies.stream()
                        .filter(copy -> !copy.rootName().equals(root.name()) || copy.sealed == blob.get())
                        .toList(),
                recovery);
    }

    /** How many earlier blobs of a root of trust there are. */
    public int earlier(String root) {
        return Math.toIntExact(
                copies.stream().filter(copy -> copy.rootName().equals(root)).count() - 1);
    }

    @FunctionalInterface
    private interface Seal {
        byte[] apply(byte[] plaintext) throws RootOfTrustException;
    }

    private SealedSecret with(RootOfTrust root, HostSecret secret, List<Copy> others, Seal seal) throws IOException {
        byte[] plaintext = secret.copy();
        try {
            byte[] blob = seal.apply(plaintext);
            List<Copy> next = new ArrayList<>();
            next.add(new Copy(root.name().getBytes(UTF_8), blob, secret.tagOf(root.name(), root.terms(blob))));
            next.addAll(others);
            return new SealedSecret(id, next, recovery);
        } catch (RootOfTrustException e) {
            throw refusal(root, e);
        } finally {
            Secrets.zero(plaintext);
        }
    }

    /** Without the blobs of one root of trust. */
    public SealedSecret without(String root) {
        return new SealedSecret(
                id,
                copies.stream().filter(copy -> !copy.rootName().equals(root)).toList(),
                recovery);
    }

    /** How many recovery keys open it; 0 if there are none. */
    public int quorum() {
        return recovery == null ? 0 : recovery.quorum;
    }

    /** Sealed to a set of recovery keys, in place of the set that there was. */
    public SealedSecret with(RecoveryKeys keys, HostSecret secret) {
        return withRecovery(keys.publicHalf(), secret);
    }

    /** Sealed to the recovery keys of another secret, which need not be at hand for that. */
    public SealedSecret withRecoveryOf(SealedSecret other, HostSecret secret) {
        return other.recovery == null ? this : withRecovery(other.recovery.publicHalf(), secret);
    }

    private SealedSecret withRecovery(RecoveryKeys.PublicHalf half, HostSecret secret) {
        byte[] plaintext = secret.copy();
        try {
            byte[] sealed = Hpke.seal(half.publicKey(), RECOVERY_PURPOSE, plaintext);
            return new SealedSecret(id, copies, new Recovery(half.quorum(), half.publicKey(), sealed));
        } finally {
            Secrets.zero(plaintext);
        }
    }

    /**
     * Has the secret released by the first root that does so.
     *
     * @param roots those that are there, best first
     * @throws IOException if none does; the message says why of each
     */
    public HostSecret release(List<RootOfTrust> roots) throws IOException {
        List<String> reasons = new ArrayList<>();
        for (RootOfTrust root : roots) {
            for (byte[] blob : blobs(root.name())) {
                try {
                    return checked(root.unseal(blob));
                } catch (RootOfTrustException | IOException e) {
                    reasons.add("root of trust \"" + root.name() + "\" does not open it: " + e.getMessage());
                }
            }
        }
        if (reasons.isEmpty()) {
            throw new IOException("it was sealed by the root of trust " + String.join(" or ", roots())
                    + ", which is not there (there is: "
                    + (roots.isEmpty()
                            ? "none"
                            : String.join(
                                    ", ", roots.stream().map(RootOfTrust::name).toList()))
                    + "); start its bundle");
        }
        throw new IOException(String.join("; ", reasons));
    }

    /**
     * Opens the secret with recovery keys.
     *
     * @param keys as text; they stay the caller's
     * @throws IOException if they do not open it; the message says why
     */
    public HostSecret recover(List<char[]> keys) throws IOException {
        if (recovery == null) {
            throw new IOException("no recovery keys were made for this storage");
        }
        byte[] seed = RecoveryKeys.seed(keys, recovery.publicHalf());
        try {
            return checked(Hpke.open(seed, RECOVERY_PURPOSE, recovery.sealed));
        } catch (AuthenticationException e) {
            throw new IOException("what the recovery keys should open was changed", e);
        } finally {
            Secrets.zero(seed);
        }
    }

    private HostSecret checked(byte[] released) throws IOException {
        if (released.length == HostSecret.LENGTH) {
            HostSecret secret = HostSecret.of(released);
            if (secret.hasId(id)) {
                return secret;
            }
        }
        Secrets.zero(released);
        throw new IOException("it released the secret of another host");
    }
}
