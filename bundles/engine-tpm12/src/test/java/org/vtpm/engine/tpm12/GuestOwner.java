package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
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
import org.vtpm.tpm12.structure.ReturnCode;

/** Makes endorsement keys and takes ownership as a guest does, byte by byte. */
final class GuestOwner {
    static final byte[] OWNER_AUTH = Sha1.of(u8(11));
    static final byte[] SRK_AUTH = Sha1.of(u8(12));
    static final byte[] ANTI_REPLAY = Sha1.of(u8(13));

    /** TPM_KEY_PARMS: RSA, OAEP, no signatures, 2048 bits, 2 primes, exponent 65537. */
    static final byte[] PARMS = HexFormat.of().parseHex("00000001000300010000000c000008000000000200000000");

    /** TPM_KEY of a storage root key, without modulus. */
    static final byte[] SRK_PARAMS =
            concat(HexFormat.of().parseHex("01010000001100000000" + "01"), PARMS, u32(0), u32(0), u32(0));

    private static final int PUBKEY_LENGTH = 284;
    private static final int MODULUS_LENGTH = 256;

    private final TestTpm tpm;
    private final byte[] pubek;

    private GuestOwner(TestTpm tpm, byte[] pubek) {
        this.tpm = tpm;
        this.pubek = pubek;
    }

    /** Has the TPM make an endorsement key. */
    static GuestOwner withNewEk(TestTpm tpm) {
        byte[] answer = tpm.send("CreateEndorsementKeyPair", ANTI_REPLAY, PARMS)
                .is(ReturnCode.SUCCESS)
                .parameters();
        return new GuestOwner(tpm, checkedPubek(answer));
    }

    /** Reads the endorsement key that the TPM has. */
    static GuestOwner withEk(TestTpm tpm) {
        return new GuestOwner(
                tpm,
                checkedPubek(tpm.send("ReadPubek", ANTI_REPLAY)
                        .is(ReturnCode.SUCCESS)
                        .parameters()));
    }

    /** The TPM_PUBKEY. */
    byte[] pubek() {
        return pubek;
    }

    /** Takes ownership with the usual secrets, and gives back the modulus of the storage root key. */
    byte[] takeOwnership() {
        byte[] srk = takeOwnership(OWNER_AUTH, SRK_AUTH, SRK_PARAMS)
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(srk).hasSize(SRK_PARAMS.length + MODULUS_LENGTH);
        return Arrays.copyOfRange(srk, srk.length - 4 - MODULUS_LENGTH, srk.length - 4);
    }

    TestTpm.Response takeOwnership(byte[] ownerAuth, byte[] srkAuth, byte[] srkParams) {
        return takeOwnership(tpm.oiap(ownerAuth), 5, encrypt(ownerAuth), encrypt(srkAuth), srkParams);
    }

    TestTpm.Response takeOwnership(
            TestTpm.GuestSession session, int protocol, byte[] encOwnerAuth, byte[] encSrkAuth, byte[] srkParams) {
        return tpm.authorized(
                session, false, "TakeOwnership", u16(protocol), sized(encOwnerAuth), sized(encSrkAuth), srkParams);
    }

    /** Encrypts for the endorsement key. */
    byte[] encrypt(byte[] secret) {
        try {
            byte[] modulus = Arrays.copyOfRange(pubek, PUBKEY_LENGTH - MODULUS_LENGTH, PUBKEY_LENGTH);
            return new Rsa(JavaBigNumberProvider::new, new SecureRandom())
                    .encryptOaep(
                            new RsaPublicKey(modulus, RsaPublicKey.F4),
                            "TCPA".getBytes(StandardCharsets.US_ASCII),
                            secret);
        } catch (RsaException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static byte[] checkedPubek(byte[] answer) {
        byte[] key = Arrays.copyOf(answer, PUBKEY_LENGTH);
        assertThat(Arrays.copyOf(key, PARMS.length)).isEqualTo(PARMS);
        assertThat(Arrays.copyOfRange(answer, PUBKEY_LENGTH, PUBKEY_LENGTH + Sha1.LENGTH))
                .isEqualTo(Sha1.of(key, ANTI_REPLAY));
        return key;
    }
}
