package org.vtpm.root.tpm12;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.ByteWriter;
import org.vtpm.crypto.Sha1;
import org.vtpm.hosttpm.HostTpmException;
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
    /** Number of PCRs that a host's TPM 1.2 has. */
    static final int COUNT = 24;

    /** Before what the operator signs, so that a signature that the same key made for another purpose does not count here. */
    static final byte[] LABEL = "vtpm root of trust tpm12 1".getBytes(US_ASCII);

    private static final int LOCALITY_0 = 1;

    static Pcrs of(Collection<Integer> indices) throws RootOfTrustException {
        int bitmap = 0;
        for (int index : indices) {
            if (index < 0 || index >= COUNT) {
                throw new RootOfTrustException("there is no PCR " + index + ": they are numbered 0 to " + (COUNT - 1));
            }
            bitmap |= 1 << index;
        }
        return new Pcrs(bitmap);
    }

    boolean isEmpty() {
        return bitmap == 0;
    }

    /** The registers in ascending order. */
    List<Integer> indices() {
        List<Integer> indices = new ArrayList<>();
        for (int index = 0; index < COUNT; index++) {
            if ((bitmap & (1 << index)) != 0) {
                indices.add(index);
            }
        }
        return indices;
    }

    /** Length in bytes of the values of all these registers. */
    int length() {
        return Integer.bitCount(bitmap) * Sha1.LENGTH;
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
        return release.pcrSelection().indices().boxed().toList().equals(indices())
                && Arrays.equals(release.digestAtRelease(), composite(values));
    }

    /** The values that belong to these registers, one after the other in ascending order. */
    byte[] bytes(List<PcrValue> values) throws RootOfTrustException {
        List<PcrValue> sorted = new ArrayList<>(values);
        sorted.sort((a, b) -> Integer.compare(a.index(), b.index()));
        if (!sorted.stream().map(PcrValue::index).toList().equals(indices())) {
            throw new RootOfTrustException("values are needed for the PCRs " + indices() + ", each once");
        }
        ByteWriter out = new ByteWriter();
        for (PcrValue value : sorted) {
            if (value.value().length != Sha1.LENGTH) {
                throw new RootOfTrustException("PCR " + value.index() + " has " + value.value().length
                        + " bytes, but a TPM 1.2 has SHA-1 values of " + Sha1.LENGTH);
            }
            out.bytes(value.value());
        }
        return out.finish();
    }

    /** The registers with the values that {@link #bytes} put together. */
    List<PcrValue> values(byte[] bytes) {
        List<PcrValue> values = new ArrayList<>();
        for (int index : indices()) {
            int at = values.size() * Sha1.LENGTH;
            values.add(new PcrValue(index, Arrays.copyOfRange(bytes, at, at + Sha1.LENGTH)));
        }
        return values;
    }

    /** Reads the registers. */
    byte[] read(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        ByteWriter out = new ByteWriter();
        for (int index : indices()) {
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
