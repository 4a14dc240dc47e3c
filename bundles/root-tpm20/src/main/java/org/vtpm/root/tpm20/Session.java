package org.vtpm.root.tpm20;

import java.security.SecureRandom;
import java.util.Arrays;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.AesCfb;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;
import org.vtpm.crypto.TpmKdf;

/**
 * An HMAC or policy session (TPM 2.0 Library, Part 1, on session-based authorizations): it authorizes commands, encrypts
 * their first parameter and that of the response with AES-128-CFB, and tells whether a response is the TPM's. It stays open
 * in the TPM until it is flushed.
 */
final class Session {
    /** What is used for nonces and HMACs: SHA-256. */
    static final int NONCE_LENGTH = Sha256.LENGTH;

    private static final int CONTINUE = 1;
    private static final int DECRYPT = 1 << 5;
    private static final int ENCRYPT = 1 << 6;
    private static final int AUDIT = 1 << 7;
    private static final int AUDIT_EXCLUSIVE = 1 << 1;
    private static final int AES_KEY_LENGTH = 16;

    private final int handle;
    private final byte[] key;
    private final SecureRandom random;
    private byte[] nonceCaller;
    private byte[] nonceTpm;

    /**
     * A session that the TPM just started.
     *
     * @param key the session key, empty if the session is neither salted nor bound; belongs to the session
     */
    Session(int handle, byte[] key, byte[] nonceCaller, byte[] nonceTpm, SecureRandom random) {
        this.handle = handle;
        this.key = key;
        this.nonceCaller = nonceCaller;
        this.nonceTpm = nonceTpm;
        this.random = random;
    }

    int handle() {
        return handle;
    }

    /** The session as a handle of a command about it. */
    Handle asHandle() {
        return Handle.bare(handle);
    }

    /** One use of the session. */
    Use use(CommandCode code, byte[] auth) {
        nonceCaller = new byte[NONCE_LENGTH];
        random.nextBytes(nonceCaller);
        return new Use(code, code.authorized() ? auth : new byte[0]);
    }

    void destroy() {
        Secrets.zero(key);
    }

    /** The session on one command and its response. */
    final class Use implements AutoCloseable {
        private final CommandCode code;
        private final int attributes;
        private final byte[] secret;

        private Use(CommandCode code, byte[] auth) {
            this.code = code;
            boolean encrypting = key.length > 0;
            int encryption = (encrypting && code.secretRequest() ? DECRYPT : 0)
                    | (encrypting && code.secretResponse() ? ENCRYPT : 0);
            // A session that neither authorizes nor encrypts has to audit.
            this.attributes = CONTINUE | encryption | (code.authorized() || encryption != 0 ? 0 : AUDIT);
            this.secret = Arrays.copyOf(key, key.length + auth.length);
            System.arraycopy(auth, 0, secret, key.length, auth.length);
        }

        /** The parameters as they go out: the first one encrypted if it is a secret. */
        byte[] protect(byte[] parameters) {
            if ((attributes & DECRYPT) == 0) {
                if (code.secretRequest()) {
                    throw new IllegalStateException(code + " would send a secret in clear");
                }
                return parameters;
            }
            return first(parameters, true, nonceCaller, nonceTpm);
        }

        /** Appends the authorization of these parameters, as they go out, on these entities. */
        void authorize(ByteWriter out, byte[] parameters, Handle... handles) {
            byte[][] parts = new byte[handles.length + 2][];
            parts[0] = number(code.code());
            for (int i = 0; i < handles.length; i++) {
                parts[i + 1] = handles[i].name();
            }
            parts[handles.length + 1] = parameters;
            byte[] hmac = hmac(Sha256.of(parts), nonceCaller, nonceTpm, attributes);
            out.i32(handle)
                    .u16(nonceCaller.length)
                    .bytes(nonceCaller)
                    .u8(attributes)
                    .u16(hmac.length)
                    .bytes(hmac);
        }

        /** Whether the TPM answered exactly this; if so, the next use goes on from here. */
        boolean accepts(byte[] parameters, Structures.ResponseAuthorization answer) {
            byte[] rpHash = Sha256.of(number(0), number(code.code()), parameters);
            if (answer.nonceTpm().length != NONCE_LENGTH
                    // Whether an audit session is exclusive is for the TPM to say.
                    || (answer.attributes() & ~AUDIT_EXCLUSIVE) != attributes
                    || !Secrets.equal(
                            answer.hmac(), hmac(rpHash, answer.nonceTpm(), nonceCaller, answer.attributes()))) {
                return false;
            }
            nonceTpm = answer.nonceTpm();
            return true;
        }

        /** The parameters of an accepted response in clear. */
        byte[] open(byte[] parameters) {
            return (attributes & ENCRYPT) == 0 ? parameters : first(parameters, false, nonceTpm, nonceCaller);
        }

        @Override
        public void close() {
            Secrets.zero(secret);
        }

        private byte[] hmac(byte[] hash, byte[] newer, byte[] older, int used) {
            return Hmac.sha256(secret, hash, newer, older, new byte[] {(byte) used});
        }

        /** Encrypts or decrypts the contents of the sized buffer that comes first. */
        private byte[] first(byte[] parameters, boolean encrypt, byte[] newer, byte[] older) {
            int length = parameters.length < 2 ? -1 : ((parameters[0] & 0xFF) << Byte.SIZE) | (parameters[1] & 0xFF);
            if (length < 0 || length > parameters.length - 2) {
                throw new IllegalArgumentException(code + " has no first parameter of " + length + " bytes");
            }
            byte[] both = TpmKdf.a(secret, "CFB", newer, older, AES_KEY_LENGTH + AesCfb.IV_LENGTH);
            byte[] aesKey = Arrays.copyOf(both, AES_KEY_LENGTH);
            byte[] iv = Arrays.copyOfRange(both, AES_KEY_LENGTH, both.length);
            byte[] input = Arrays.copyOfRange(parameters, 2, 2 + length);
            byte[] output = encrypt ? AesCfb.encrypt(aesKey, iv, input) : AesCfb.decrypt(aesKey, iv, input);
            byte[] result = parameters.clone();
            System.arraycopy(output, 0, result, 2, length);
            Secrets.zero(both, aesKey, input, output);
            return result;
        }
    }

    private static byte[] number(int value) {
        return new byte[] {(byte) (value >>> 24), (byte) (value >>> 16), (byte) (value >>> 8), (byte) value};
    }
}
