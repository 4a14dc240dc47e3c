package org.vtpm.root.tpm12;

import java.util.Arrays;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Sha1;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.AuthDataUsage;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyFlags;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmException;
import org.vtpm.tpm12.structure.TpmKey;

/**
 * The storage root key (SRK) of one TPM under one owner: who clears the TPM makes an end of it.
 *
 * @param modulus of its public half; the exponent is 65537
 * @param endorsement SHA-1 of the TPM_PUBKEY of the endorsement key, which a clear does not change; empty if not known
 */
record StorageRootKey(byte[] modulus, byte[] endorsement) {
    /** Its length in bytes: a TPM 1.2 has no other. */
    static final int LENGTH = 256;

    private static final int CAP_PROPERTY = 0x05;
    private static final int CAP_PROP_OWNER = 0x111;
    private static final int PID_OWNER = 5;
    // The version 1.1.0.0 of a TPM_KEY: its first half is the structure's tag.
    private static final int REVISION = 0;

    private static final byte[] NONE = {};

    /**
     * The key of a TPM that is being enrolled: whatever TPM is there is believed. Afterwards the sequence talks to this one
     * and to no other.
     *
     * @param ownerAuth the owner's secret; empty if it is not known
     * @param takeOwnership whether a TPM without an owner gets one
     */
    static StorageRootKey enroll(Tpm tpm, byte[] ownerAuth, boolean takeOwnership)
            throws HostTpmException, RefusedException, RootOfTrustException {
        if (ownerAuth.length != 0 && ownerAuth.length != Sha1.LENGTH) {
            throw new RootOfTrustException("the secret of a TPM 1.2's owner has " + Sha1.LENGTH + " bytes, and not "
                    + ownerAuth.length + ": it is the SHA-1 digest of the password, as tpm-tools make it");
        }
        if (!owned(tpm)) {
            if (!takeOwnership || ownerAuth.length == 0) {
                throw new RootOfTrustException("the TPM has no owner, and so no storage root key: have ownership taken,"
                        + " with a secret for the owner");
            }
            takeOwnership(tpm, ownerAuth);
        }
        StorageRootKey key = ownerAuth.length == 0 ? readable(tpm) : owners(tpm, ownerAuth);
        key.trusted(tpm);
        return key;
    }

    /** Has the sequence talk to the TPM that has this key, and to no other. */
    void trusted(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        try {
            tpm.trust(this);
        } catch (RefusedException e) {
            if (e.isWrongAuth()) {
                throw new RootOfTrustException(
                        "the TPM refuses the secret of its storage root key: \"srk.auth\" of org.vtpm.root.tpm12 is not"
                                + " what it was set to, or the TPM " + absence(tpm) + " (" + e.getMessage() + ")",
                        e);
            }
            if (e.isAboutTheTpm()) {
                throw e;
            }
            throw new RootOfTrustException("the TPM " + absence(tpm) + " (" + e.getMessage() + ")", e);
        }
    }

    /** What became of the key, as far as the TPM tells. */
    private String absence(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] present = readableEndorsement(tpm);
        boolean known = endorsement.length > 0 && present.length > 0;
        if (known && !Arrays.equals(endorsement, present)) {
            return "is another TPM than the one that sealed this: put that one back, or open by the recovery secret and"
                    + " enrol this one";
        }
        if (!owned(tpm)) {
            return (known ? "was cleared" : "was cleared, or is another one")
                    + ", and has no owner: what was sealed by its old storage root key is lost;"
                    + " open by the recovery secret and enrol it again";
        }
        return (known ? "was cleared" : "was cleared, or is another one")
                + ", and has an owner again: it has another storage root key than the one that sealed this;"
                + " open by the recovery secret and enrol it again";
    }

    private static boolean owned(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] property = new ByteWriter(Integer.BYTES).i32(CAP_PROP_OWNER).finish();
        byte[] value = tpm.call(
                        Structures.Capability.class,
                        Command.GET_CAPABILITY,
                        new Structures.GetCapability(CAP_PROPERTY, property))
                .value();
        if (value.length != 1) {
            throw Tpm.noResponse(Command.GET_CAPABILITY, "a flag of " + value.length + " bytes");
        }
        return value[0] != 0;
    }

    /** Both keys as the owner may read them. */
    private static StorageRootKey owners(Tpm tpm, byte[] ownerAuth)
            throws HostTpmException, RefusedException, RootOfTrustException {
        try {
            return new StorageRootKey(
                    modulus(Command.OWNER_READ_INTERNAL_PUB, internal(tpm, ownerAuth, Handles.SRK)),
                    digest(internal(tpm, ownerAuth, Handles.EK)));
        } catch (RefusedException e) {
            if (e.isWrongAuth()) {
                throw new RootOfTrustException("that is not the secret of the TPM's owner (" + e.getMessage() + ")", e);
            }
            throw e;
        }
    }

    private static Pubkey internal(Tpm tpm, byte[] ownerAuth, int handle)
            throws HostTpmException, RefusedException, RootOfTrustException {
        return tpm.call(
                        Structures.PublicKey.class,
                        Command.OWNER_READ_INTERNAL_PUB,
                        new Structures.KeyHandle(handle),
                        tpm.oiap(ownerAuth))
                .key();
    }

    /** Both keys as far as anybody may read them. */
    private static StorageRootKey readable(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        try {
            Pubkey srk = tpm.call(
                            Structures.PublicKey.class,
                            Command.GET_PUB_KEY,
                            new Structures.KeyHandle(Handles.SRK),
                            tpm.oiap(tpm.srkSecret()))
                    .key();
            return new StorageRootKey(modulus(Command.GET_PUB_KEY, srk), readableEndorsement(tpm));
        } catch (RefusedException e) {
            if (e.isAboutTheTpm()) {
                throw e;
            }
            throw new RootOfTrustException(
                    e.isWrongAuth()
                            ? "the TPM's storage root key has another secret than \"srk.auth\" of org.vtpm.root.tpm12 says ("
                                    + e.getMessage() + ")"
                            : "the TPM tells its storage root key to its owner only: give the owner's secret ("
                                    + e.getMessage() + ")",
                    e);
        }
    }

    /** The digest of the endorsement key, or nothing if the TPM does not tell it to everybody. */
    private static byte[] readableEndorsement(Tpm tpm) throws HostTpmException, RootOfTrustException {
        try {
            return digest(pubek(tpm));
        } catch (RefusedException e) {
            return NONE;
        }
    }

    private static Pubkey pubek(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] nonce = tpm.random(Sha1.LENGTH);
        Structures.Pubek pubek = tpm.call(Structures.Pubek.class, Command.READ_PUBEK, new Structures.ReadPubek(nonce));
        if (!Arrays.equals(Sha1.of(Structures.encode(pubek.key()), nonce), pubek.checksum())) {
            throw Tpm.noResponse(Command.READ_PUBEK, "its checksum is wrong");
        }
        return pubek.key();
    }

    private static void takeOwnership(Tpm tpm, byte[] ownerAuth)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] endorsement = modulus(Command.READ_PUBEK, pubek(tpm));
        TpmKey template = new TpmKey.Key(
                REVISION,
                KeyUsage.STORAGE,
                new KeyFlags(0),
                AuthDataUsage.ALWAYS,
                KeyParms.rsa(Algorithm.ES_RSAESOAEP_SHA1_MGF1, Algorithm.SS_NONE, LENGTH * Byte.SIZE),
                null,
                new StorePubkey(NONE),
                NONE);
        tpm.call(
                Structures.SrkPub.class,
                Command.TAKE_OWNERSHIP,
                new Structures.TakeOwnership(
                        PID_OWNER,
                        Oaep.encrypt(endorsement, ownerAuth),
                        Oaep.encrypt(endorsement, tpm.srkSecret()),
                        template),
                tpm.oiap(ownerAuth));
    }

    private static byte[] digest(Pubkey key) {
        return Sha1.of(Structures.encode(key));
    }

    private static byte[] modulus(Command command, Pubkey key) throws RootOfTrustException {
        RsaPublicKey rsa;
        try {
            rsa = key.rsa();
        } catch (TpmException e) {
            throw Tpm.noResponse(command, "a key that is no RSA key");
        }
        if (rsa.length() != LENGTH || rsa.exponent() != RsaPublicKey.F4) {
            throw Tpm.noResponse(command, "a key of " + rsa.length() + " bytes");
        }
        return rsa.modulus();
    }
}
