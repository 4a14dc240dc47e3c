package org.vtpm.root.tpm20;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.hosttpm.HostTpmException;

/**
 * The storage key of the TPM's owner hierarchy, an ECC key on P-256 that the TPM derives from its owner seed and a fixed
 * template: the same each time until the TPM is cleared. Secrets are sealed below it, and sessions are salted to it.
 *
 * @param handle a persistent handle, or a transient one that the sequence flushes
 * @param publicArea its TPMT_PUBLIC
 */
record StorageKey(int handle, byte[] publicArea, Structures.StoragePublic key) {
    private static final int FIRST_PERSISTENT = 0x81000001;
    // Persistent objects of the owner that are storage keys, by the TCG's registry of reserved handles.
    private static final int LAST_PERSISTENT = 0x8100FFFF;

    private static final int AES_BITS = 128;
    private static final byte[] NONE = {};
    private static final byte[] ZERO = new byte[32];

    /** The TCG's template of an ECC storage root key. */
    private static final Structures.StoragePublic TEMPLATE = new Structures.StoragePublic(
            Structures.ALG_SHA256,
            Structures.FIXED_TPM
                    | Structures.FIXED_PARENT
                    | Structures.SENSITIVE_DATA_ORIGIN
                    | Structures.USER_WITH_AUTH
                    | Structures.NO_DA
                    | Structures.RESTRICTED
                    | Structures.DECRYPT,
            NONE,
            Structures.ALG_AES,
            AES_BITS,
            Structures.ALG_CFB,
            Structures.ALG_NULL,
            Structures.ECC_NIST_P256,
            Structures.ALG_NULL,
            ZERO,
            ZERO);

    /** The TCG's template of an ECC endorsement key: authorized by PolicySecret of the endorsement hierarchy. */
    private static final Structures.StoragePublic ENDORSEMENT_TEMPLATE = new Structures.StoragePublic(
            Structures.ALG_SHA256,
            Structures.FIXED_TPM
                    | Structures.FIXED_PARENT
                    | Structures.SENSITIVE_DATA_ORIGIN
                    | Structures.ADMIN_WITH_POLICY
                    | Structures.RESTRICTED
                    | Structures.DECRYPT,
            HexFormat.of().parseHex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"),
            Structures.ALG_AES,
            AES_BITS,
            Structures.ALG_CFB,
            Structures.ALG_NULL,
            Structures.ECC_NIST_P256,
            Structures.ALG_NULL,
            ZERO,
            ZERO);

    byte[] name() {
        return Structures.name(publicArea);
    }

    Handle asHandle() {
        return Handle.named(handle, name());
    }

    /**
     * The storage key of a TPM that is being enrolled: whatever TPM is there is believed. If the owner hierarchy has an
     * authorization value, the key is made persistent, since nobody gives that value when it is needed again.
     *
     * @param owner the owner hierarchy with its authorization value
     */
    static StorageKey enroll(Tpm tpm, Handle owner) throws HostTpmException, RefusedException, RootOfTrustException {
        StorageKey created = null;
        StorageKey found;
        try {
            created = create(tpm, owner, TEMPLATE);
            found = persistent(tpm, named(created.name()));
        } catch (RefusedException e) {
            if (!e.isWrongAuth()) {
                throw e;
            }
            // Whoever made the key persistent had the owner's password; here it is not needed then.
            found = owner.auth().length > 0 ? null : persistent(tpm, publicArea -> follows(publicArea, TEMPLATE));
            if (found == null) {
                throw new RootOfTrustException(
                        owner.auth().length == 0
                                ? "the TPM's owner hierarchy has a password: give it"
                                : "that is not the password of the TPM's owner hierarchy",
                        e);
            }
        }
        boolean persist = found == null && owner.auth().length > 0;
        StorageKey key = found == null ? Objects.requireNonNull(created) : found;
        tpm.trust(key);
        return persist ? key.persist(tpm, owner) : key;
    }

    /**
     * The storage key that was recorded at enrolment; afterwards the sequence talks to the TPM that has it and to no other.
     *
     * @param endorsement name of the endorsement key, if it was recorded
     */
    static StorageKey recorded(Tpm tpm, byte[] publicArea, Structures.StoragePublic key, byte[] endorsement)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] name = Structures.name(publicArea);
        StorageKey found = persistent(tpm, named(name));
        if (found == null) {
            found = recreated(tpm, name, endorsement);
        }
        // What the TPM says about itself was only to find it: the session is salted to what was recorded.
        StorageKey recorded = new StorageKey(found.handle(), publicArea, key);
        tpm.trust(recorded);
        return recorded;
    }

    /** The name of the endorsement key; empty if the endorsement hierarchy has an authorization value or is off. */
    static byte[] endorsement(Tpm tpm) throws HostTpmException, RootOfTrustException {
        try {
            StorageKey key = create(tpm, Handle.bare(Handle.ENDORSEMENT), ENDORSEMENT_TEMPLATE);
            tpm.flush(key.handle());
            return key.name();
        } catch (RefusedException e) {
            return NONE;
        }
    }

    private static StorageKey recreated(Tpm tpm, byte[] name, byte[] endorsement)
            throws HostTpmException, RefusedException, RootOfTrustException {
        StorageKey created;
        try {
            created = create(tpm, Handle.bare(Handle.OWNER), TEMPLATE);
        } catch (RefusedException e) {
            if (e.isWrongAuth()) {
                throw new RootOfTrustException(
                        "the storage key " + hex(name) + " is no persistent object of the TPM (any more), and cannot be"
                                + " made again, since the owner hierarchy has a password: make that empty"
                                + " (tpm2_changeauth -c owner), or enrol the TPM again and give the password",
                        e);
            }
            throw e;
        }
        if (Arrays.equals(created.name(), name)) {
            return created;
        }
        tpm.flush(created.handle());
        String differs = "its storage key has the name " + hex(created.name()) + ", the recorded one " + hex(name);
        byte[] here = endorsement.length == 0 ? NONE : endorsement(tpm);
        String repair = "; no TPM opens this any more: open it by the recovery secret, and enrol this TPM";
        if (here.length > 0 && Arrays.equals(here, endorsement)) {
            throw new RootOfTrustException("the TPM was cleared since this was sealed: " + differs + repair);
        }
        throw new RootOfTrustException((here.length > 0
                        ? "this is another TPM than the one that sealed: "
                        : "this is another TPM than the one that sealed, or it was cleared since: ")
                + differs
                + "; put the host's own TPM and disk together again, or open this by the recovery secret"
                + " and enrol this TPM");
    }

    /** The first persistent object whose public area is as wanted; null if there is none. */
    private static @Nullable StorageKey persistent(Tpm tpm, Predicate<byte[]> wanted)
            throws HostTpmException, RefusedException, RootOfTrustException {
        for (int handle : tpm.handles(FIRST_PERSISTENT, LAST_PERSISTENT)) {
            byte[] parameters =
                    tpm.call(CommandCode.READ_PUBLIC, NONE, Handle.bare(handle)).parameters();
            byte[] publicArea = Tpm.decode(CommandCode.READ_PUBLIC, Structures.ObjectPublic.class, parameters)
                    .publicArea();
            if (wanted.test(publicArea)) {
                return new StorageKey(handle, publicArea, parse(publicArea));
            }
        }
        return null;
    }

    private static Predicate<byte[]> named(byte[] name) {
        return publicArea -> Arrays.equals(Structures.name(publicArea), name);
    }

    private StorageKey persist(Tpm tpm, Handle owner) throws HostTpmException, RefusedException, RootOfTrustException {
        List<Integer> taken = tpm.handles(FIRST_PERSISTENT, LAST_PERSISTENT);
        int free = FIRST_PERSISTENT;
        while (taken.contains(free)) {
            free++;
        }
        tpm.call(CommandCode.EVICT_CONTROL, Structures.encode(new Structures.OneHandle(free)), owner, asHandle());
        return new StorageKey(free, publicArea, key);
    }

    private static StorageKey create(Tpm tpm, Handle hierarchy, Structures.StoragePublic template)
            throws HostTpmException, RefusedException, RootOfTrustException {
        // A password would cross the bus in clear; an HMAC session tells it to nobody, though an interposer may guess
        // it.
        Session plain = tpm.startPlain();
        byte[] parameters = Structures.encode(new Structures.Create(
                Structures.encode(new Structures.SensitiveCreate(NONE, NONE)),
                Structures.encode(template),
                NONE,
                List.of()));
        Tpm.Response response = tpm.call(plain, CommandCode.CREATE_PRIMARY, parameters, hierarchy);
        tpm.flush(plain.handle());
        Structures.CreatedPrimary created =
                Tpm.decode(CommandCode.CREATE_PRIMARY, Structures.CreatedPrimary.class, response.parameters());
        if (!follows(created.publicArea(), template)
                || !Arrays.equals(Structures.name(created.publicArea()), created.name())) {
            throw Tpm.noResponse(CommandCode.CREATE_PRIMARY, "another key than was asked for");
        }
        return new StorageKey(response.handle(), created.publicArea(), parse(created.publicArea()));
    }

    /** Whether a public area is as the template says but for the key itself. */
    private static boolean follows(byte[] publicArea, Structures.StoragePublic template) {
        try {
            Structures.StoragePublic key =
                    Codec.of(Structures.StoragePublic.class).decode(publicArea);
            Structures.StoragePublic expected = new Structures.StoragePublic(
                    template.nameAlg(),
                    template.attributes(),
                    template.authPolicy(),
                    template.symmetric(),
                    template.symmetricBits(),
                    template.symmetricMode(),
                    template.scheme(),
                    template.curve(),
                    template.kdf(),
                    key.x(),
                    key.y());
            return Arrays.equals(Structures.encode(expected), publicArea);
        } catch (CodecException e) {
            return false;
        }
    }

    private static Structures.StoragePublic parse(byte[] publicArea) throws RootOfTrustException {
        try {
            return Codec.of(Structures.StoragePublic.class).decode(publicArea);
        } catch (CodecException e) {
            throw Tpm.noResponse(CommandCode.CREATE_PRIMARY, "no storage key: " + e.getMessage());
        }
    }

    private static String hex(byte[] name) {
        return HexFormat.of().formatHex(name);
    }
}
