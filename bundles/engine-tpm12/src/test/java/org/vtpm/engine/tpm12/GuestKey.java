package org.vtpm.engine.tpm12;

import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/**
 * A key as a guest has it made by the TPM, byte by byte.
 *
 * @param keyInfo the TPM_KEY or TPM_KEY12 that asks for it
 */
record GuestKey(byte[] keyInfo) {
    static final byte[] USAGE_AUTH = Sha1.of(u8(21));
    static final byte[] MIGRATION_AUTH = Sha1.of(u8(22));
    static final int MIGRATABLE = 2;

    private static final int ENC_NONE = 1;
    private static final int ENC_OAEP = 3;
    private static final int SIG_NONE = 1;
    private static final int SIG_SHA1 = 2;
    private static final int ALWAYS = 1;

    static GuestKey signing() {
        return of(KeyUsage.SIGNING, 0, ALWAYS, ENC_NONE, SIG_SHA1, 512, new byte[0]);
    }

    static GuestKey storage() {
        return of(KeyUsage.STORAGE, 0, ALWAYS, ENC_OAEP, SIG_NONE, 2048, new byte[0]);
    }

    static GuestKey bind(int bits) {
        return of(KeyUsage.BIND, 0, ALWAYS, ENC_OAEP, SIG_NONE, bits, new byte[0]);
    }

    static GuestKey of(int usage, int flags, int authDataUsage, int enc, int sig, int bits, byte[] pcrInfo) {
        return new GuestKey(concat(
                HexFormat.of().parseHex("01010000"), rest(usage, flags, authDataUsage, enc, sig, bits, pcrInfo)));
    }

    /** A TPM_KEY12, which names a PCR_INFO_LONG. */
    static GuestKey of12(int usage, int flags, int authDataUsage, int enc, int sig, int bits, byte[] pcrInfo) {
        return new GuestKey(concat(
                HexFormat.of().parseHex("00280000"), rest(usage, flags, authDataUsage, enc, sig, bits, pcrInfo)));
    }

    /** This key with one byte changed. */
    GuestKey with(int position, int value) {
        byte[] changed = keyInfo.clone();
        changed[position] = (byte) value;
        return new GuestKey(changed);
    }

    GuestKey withFlags(int flags) {
        return with(9, flags);
    }

    GuestKey withAuthDataUsage(int usage) {
        return with(10, usage);
    }

    /** Has it made below the storage root key. */
    TestTpm.Response create(TestTpm tpm) {
        return create(tpm, Handles.SRK, GuestOwner.SRK_AUTH);
    }

    TestTpm.Response create(TestTpm tpm, int parent, byte[] parentAuth) {
        TestTpm.GuestSession session = tpm.osap(EntityType.KEY_HANDLE, parent, parentAuth);
        return tpm.authorized(
                session,
                true,
                "CreateWrapKey",
                u32(parent),
                tpm.encrypted(session, USAGE_AUTH),
                tpm.encryptedSecond(session, MIGRATION_AUTH),
                keyInfo);
    }

    /** Has it made and loaded below the storage root key. */
    int load(TestTpm tpm) {
        return load(tpm, create(tpm).is(ReturnCode.SUCCESS).parameters());
    }

    static int load(TestTpm tpm, byte[] wrapped) {
        return TestTpm.number(
                load(tpm, Handles.SRK, GuestOwner.SRK_AUTH, wrapped)
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                0);
    }

    static TestTpm.Response load(TestTpm tpm, int parent, byte[] parentAuth, byte[] wrapped) {
        return tpm.authorized(tpm.oiap(parentAuth), false, "LoadKey2", u32(parent), wrapped);
    }

    /** Encrypts for a TPM_PUBKEY, with the label of the specification. */
    static byte[] encrypt(byte[] pubkey, byte[] plain) {
        return encrypt(pubkey, plain, new SecureRandom());
    }

    /** The same with random numbers of the caller's choice. */
    static byte[] encrypt(byte[] pubkey, byte[] plain, SecureRandom random) {
        try {
            return new Rsa(JavaBigNumberProvider::new, random)
                    .encryptOaep(publicKey(pubkey), "TCPA".getBytes(StandardCharsets.US_ASCII), plain);
        } catch (RsaException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The public half of a TPM_PUBKEY with the exponent 65537. */
    static RsaPublicKey publicKey(byte[] pubkey) {
        int length = TestTpm.number(pubkey, GuestOwner.PARMS.length);
        int start = GuestOwner.PARMS.length + Integer.BYTES;
        return new RsaPublicKey(Arrays.copyOfRange(pubkey, start, start + length), RsaPublicKey.F4);
    }

    private static byte[] rest(int usage, int flags, int authDataUsage, int enc, int sig, int bits, byte[] pcrInfo) {
        return concat(
                u16(usage),
                u32(flags),
                u8(authDataUsage),
                u32(1),
                u16(enc),
                u16(sig),
                sized(concat(u32(bits), u32(2), u32(0))),
                sized(pcrInfo),
                u32(0),
                u32(0));
    }
}
