package org.vtpm.tpm12.structure;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;

/**
 * TPM_DAA_TPM (TPM Main Part 2, section 22.4): a DAA credential as far as only this TPM knows it.
 *
 * @param digestIssuer of the {@link DaaIssuer}
 * @param digestV0 of v0, the lower part of the certificate's blinding, as 128 bytes
 * @param digestV1 of v1, the higher part, as 192 bytes
 * @param rekey secret: f follows from it
 * @param count tells credentials of one issuer apart
 */
@Tag(0x0032)
public record DaaTpm(
        @Fixed(20) byte[] digestIssuer,
        @Fixed(20) byte[] digestV0,
        @Fixed(20) byte[] digestV1,
        @Fixed(20) byte[] rekey,
        int count) {

    /** All fields but the count are NULL. */
    public static DaaTpm initial(int count) {
        return new DaaTpm(new byte[20], new byte[20], new byte[20], new byte[20], count);
    }

    public DaaTpm withDigestIssuer(byte[] to) {
        return new DaaTpm(to, digestV0, digestV1, rekey, count);
    }

    public DaaTpm withDigestV0(byte[] to) {
        return new DaaTpm(digestIssuer, to, digestV1, rekey, count);
    }

    public DaaTpm withDigestV1(byte[] to) {
        return new DaaTpm(digestIssuer, digestV0, to, rekey, count);
    }

    public DaaTpm withRekey(byte[] to) {
        return new DaaTpm(digestIssuer, digestV0, digestV1, to, count);
    }

    public DaaTpm withCount(int to) {
        return new DaaTpm(digestIssuer, digestV0, digestV1, rekey, to);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "DaaTpm[secret]";
    }
}
