package org.vtpm.root.tpm12;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.Collection;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.Sha1;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.hosttpm.PcrSet;
import org.vtpm.tpm12.structure.PcrInfoLong;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.ReturnCode;

/**
 * A selection of PCRs, and what is computed over their values.
 *
 * @param bitmap bit n stands for PCR n
 */
record Pcrs(int bitmap) {
    /** Before what the operator signs, so that a signature that the same key made for another purpose does not count here. */
    static final byte[] LABEL = "vtpm root of trust tpm12 1".getBytes(US_ASCII);

    private static final int LOCALITY_0 = 1;

    static Pcrs of(Collection<Integer> indices) throws RootOfTrustException {
        return new Pcrs(PcrSet.of(indices, Sha1.LENGTH).bitmap());
    }

    /** The registers, with their values in the SHA-1 bank. */
    PcrSet registers() {
        return new PcrSet(bitmap, Sha1.LENGTH);
    }

    boolean isEmpty() {
        return bitmap == 0;
    }

    private PcrSelection selection() {
        return new PcrSelection(
                new byte[] {(byte) bitmap, (byte) (bitmap >>> Byte.SIZE), (byte) (bitmap >>> (2 * Byte.SIZE))});
    }

    /** TPM_COMPOSITE_HASH: SHA-1 of a TPM_PCR_COMPOSITE (TPM Main Part 2, section 8.2). */
    byte[] composite(byte[] values) {
        return Sha1.of(new ByteWriter()
                .bytes(Structures.encode(selection()))
                .i32(values.length)
                .bytes(values)
                .finish());
    }

    /** What is hashed and signed to approve of these values. */
    byte[] toSign(byte[] values) {
        return new ByteWriter()
                .bytes(LABEL)
                .bytes(Structures.encode(selection()))
                .bytes(composite(values))
                .finish();
    }

    /**
     * What TPM_Seal gets. Any locality may have the secret: whoever can send commands from a higher one can send them from
     * that of the operating system too, which all of this comes from.
     */
    PcrInfoLong sealInfo(byte[] values) {
        return new PcrInfoLong(
                LOCALITY_0,
                PcrInfoShort.ALL_LOCALITIES,
                selection(),
                selection(),
                new byte[Sha1.LENGTH],
                composite(values));
    }

    /** Whether data with these conditions is had at these values, and at no others. */
    boolean fits(PcrInfoShort release, byte[] values) {
        return release.pcrSelection()
                        .indices()
                        .boxed()
                        .toList()
                        .equals(registers().indices())
                && Arrays.equals(release.digestAtRelease(), composite(values));
    }

    /** Reads the registers. */
    byte[] read(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        ByteWriter out = new ByteWriter();
        for (int index : registers().indices()) {
            try {
                out.bytes(tpm.call(Structures.Digest.class, Command.PCR_READ, new Structures.PcrIndex(index))
                        .value());
            } catch (RefusedException e) {
                if (e.is(ReturnCode.BADINDEX)) {
                    throw new RootOfTrustException("the TPM has no PCR " + index, e);
                }
                throw e;
            }
        }
        return out.finish();
    }
}
