package org.vtpm.tpm12.structure;

import java.nio.charset.StandardCharsets;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.crypto.Sha1;

/**
 * TPM_SIGN_INFO (TPM Main Part 2, section 5.12): what is hashed and signed, with its purpose.
 *
 * @param fixed four letters that name the command
 * @param replay what the verifier chose
 */
@Tag(0x0005)
public record SignInfo(
        @Fixed(4) byte[] fixed,
        @Fixed(20) byte[] replay,
        @Sized byte[] data) {

    /** The structure for a purpose, such as "SIGN". */
    public static SignInfo of(String purpose, byte[] replay, byte[] data) {
        return new SignInfo(purpose.getBytes(StandardCharsets.US_ASCII), replay, data);
    }

    /** SHA-1 over it. */
    public byte[] digest() {
        return Sha1.of(Codec.of(SignInfo.class).encode(this));
    }
}
