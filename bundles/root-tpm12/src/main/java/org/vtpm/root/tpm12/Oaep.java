package org.vtpm.root.tpm12;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.security.spec.RSAPublicKeySpec;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource.PSpecified;
import org.vtpm.api.root.RootOfTrustException;

/** RSA encryption for keys in the TPM (TPM Main Part 1, section 31.1.1): the JDK's, as nothing here needs to be fast. */
final class Oaep {
    private static final OAEPParameterSpec PARAMETERS =
            new OAEPParameterSpec("SHA-1", "MGF1", MGF1ParameterSpec.SHA1, new PSpecified("TCPA".getBytes(US_ASCII)));

    private Oaep() {}

    /** @param modulus of a key with the exponent 65537 */
    static byte[] encrypt(byte[] modulus, byte[] secret) throws RootOfTrustException {
        try {
            Cipher rsa = Cipher.getInstance("RSA/ECB/OAEPPadding");
            rsa.init(
                    Cipher.ENCRYPT_MODE,
                    KeyFactory.getInstance("RSA")
                            .generatePublic(
                                    new RSAPublicKeySpec(new BigInteger(1, modulus), RSAKeyGenParameterSpec.F4)),
                    PARAMETERS);
            return rsa.doFinal(secret);
        } catch (GeneralSecurityException e) {
            throw new RootOfTrustException("the TPM's key is none that can be encrypted for: " + e.getMessage(), e);
        }
    }
}
