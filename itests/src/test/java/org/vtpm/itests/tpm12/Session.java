package org.vtpm.itests.tpm12;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.xor;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** The client's side of an OIAP or OSAP session (TPM Main Part 1, section 13). */
public final class Session {
    private final int handle;
    private final byte @Nullable [] sharedSecret;
    private final boolean aes;
    private byte[] nonceEven;
    private byte[] nonceOdd = Wire.zeros();

    Session(int handle, byte[] nonceEven, byte @Nullable [] sharedSecret, boolean aes) {
        this.handle = handle;
        this.nonceEven = nonceEven;
        this.sharedSecret = sharedSecret;
        this.aes = aes;
    }

    /** A session that no TPM knows, to see it refused. */
    public static Session unknown(int handle) {
        return new Session(handle, Wire.zeros(), Wire.zeros(), false);
    }

    public int handle() {
        return handle;
    }

    /** Whether it is an OSAP session: one that can encrypt. */
    public boolean encryptsSecrets() {
        return sharedSecret != null;
    }

    /** Encrypts a new secret for the wire as the session was opened to; one that encrypts nothing leaves it as it is. */
    public byte[] encrypt(byte[] secret) {
        if (!encryptsSecrets()) {
            return secret;
        }
        return aes ? encryptAes(secret) : encryptXor(secret);
    }

    /** Encrypts a new secret for the wire by XOR (ADIP, type 0x00). Only for OSAP sessions. */
    public byte[] encryptXor(byte[] secret) {
        return xor(secret, sha1(shared(), nonceEven));
    }

    /** Encrypts a new secret for the wire by AES-128 in counter mode (ADIP, type 0x06). Only for OSAP sessions. */
    public byte[] encryptAes(byte[] secret) {
        try {
            Cipher aes = Cipher.getInstance("AES/CTR/NoPadding");
            aes.init(
                    Cipher.ENCRYPT_MODE,
                    new SecretKeySpec(shared(), 0, 16, "AES"),
                    new IvParameterSpec(Arrays.copyOf(nonceEven, 16)));
            return aes.doFinal(secret);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The TPM's last nonce. */
    byte[] nonceEven() {
        return nonceEven;
    }

    private byte[] shared() {
        if (sharedSecret == null) {
            throw new IllegalStateException("an OIAP session encrypts nothing");
        }
        return sharedSecret;
    }

    private byte[] key(byte[] secret) {
        return sharedSecret == null ? secret : sharedSecret;
    }

    /** The request's authorization block, for a command that is put together elsewhere. */
    public byte[] authorize(byte[] secret, byte[] paramDigest, byte[] newNonceOdd, boolean continued) {
        nonceOdd = newNonceOdd;
        byte[] flag = u8(continued ? 1 : 0);
        return concat(u32(handle), nonceOdd, flag, Wire.hmac(key(secret), paramDigest, nonceEven, nonceOdd, flag));
    }

    /** Takes a response's authorization block: nonceEven, continueAuthSession, resAuth. Tells whether it is genuine. */
    boolean verify(byte[] secret, byte[] paramDigest, byte[] block) {
        nonceEven = Arrays.copyOf(block, 20);
        byte[] flag = Arrays.copyOfRange(block, 20, 21);
        byte[] expected = Wire.hmac(key(secret), paramDigest, nonceEven, nonceOdd, flag);
        return Arrays.equals(expected, Arrays.copyOfRange(block, 21, 41));
    }
}
