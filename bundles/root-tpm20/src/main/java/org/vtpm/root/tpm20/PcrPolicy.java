package org.vtpm.root.tpm20;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.crypto.Sha256;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.hosttpm.PcrSet;

/**
 * A selection of PCRs in the SHA-256 bank, and the digests of policies about them as the TPM computes them (TPM 2.0 Library,
 * Part 3, TPM2_PolicyPCR and TPM2_PolicyAuthorize).
 *
 * @param bitmap bit n stands for PCR n
 */
record PcrPolicy(int bitmap) {
    /**
     * What the operator signs together with a policy, so that a signature that the same key made for another purpose does not
     * count here.
     */
    static final byte[] POLICY_REF = "vtpm root of trust 1".getBytes(US_ASCII);

    private static final int AT_ONCE = 8;
    private static final int CALM_ATTEMPTS = 5;
    private static final byte[] START = new byte[Sha256.LENGTH];

    static PcrPolicy of(Collection<Integer> indices) throws RootOfTrustException {
        return new PcrPolicy(PcrSet.of(indices, Sha256.LENGTH).bitmap());
    }

    /** The registers, with their values in the SHA-256 bank. */
    PcrSet registers() {
        return new PcrSet(bitmap, Sha256.LENGTH);
    }

    Structures.PcrSelection selection() {
        return new Structures.PcrSelection(
                Structures.ALG_SHA256, new byte[] {(byte) bitmap, (byte) (bitmap >>> 8), (byte) (bitmap >>> 16)});
    }

    /** The parameters of TPM2_PolicyPCR for these values. */
    Structures.PolicyPcr parameters(byte[] values) {
        return new Structures.PolicyPcr(Sha256.of(values), List.of(selection()));
    }

    /** The digest of a policy that wants these values and nothing else. */
    byte[] digest(byte[] values) {
        ByteWriter out = new ByteWriter();
        Codec.of(Structures.PcrRead.class).write(out, new Structures.PcrRead(List.of(selection())));
        return Sha256.of(START, number(CommandCode.POLICY_PCR), out.finish(), Sha256.of(values));
    }

    /** What is hashed and signed to approve of these values. */
    byte[] toSign(byte[] values) {
        byte[] digest = digest(values);
        return ByteBuffer.allocate(digest.length + POLICY_REF.length)
                .put(digest)
                .put(POLICY_REF)
                .array();
    }

    /** The digest of a policy that leaves the choice of another to whoever has this key. */
    static byte[] authorizeDigest(byte[] keyName) {
        byte[] key = Sha256.of(START, number(CommandCode.POLICY_AUTHORIZE), keyName);
        return Sha256.of(key, POLICY_REF);
    }

    /** Reads the registers: all in one state of the TPM. */
    byte[] read(Tpm tpm) throws HostTpmException, RefusedException, RootOfTrustException {
        for (int attempt = 0; attempt < CALM_ATTEMPTS; attempt++) {
            byte[][] values = new byte[PcrSet.COUNT][];
            if (readOnce(tpm, values)) {
                ByteWriter out = new ByteWriter();
                for (int index : registers().indices()) {
                    out.bytes(values[index]);
                }
                return out.finish();
            }
        }
        throw new RootOfTrustException("PCRs change all the time: try again when the host has come up");
    }

    /** Whether nothing changed meanwhile. */
    private boolean readOnce(Tpm tpm, byte[][] values) throws HostTpmException, RefusedException, RootOfTrustException {
        int rest = bitmap;
        Integer counter = null;
        while (rest != 0) {
            Structures.PcrValues some = Tpm.decode(
                    CommandCode.PCR_READ,
                    Structures.PcrValues.class,
                    tpm.call(
                                    CommandCode.PCR_READ,
                                    Structures.encode(new Structures.PcrRead(List.of(new PcrPolicy(rest).selection()))))
                            .parameters());
            List<Integer> got = new PcrPolicy(returned(some)).registers().indices();
            if (got.isEmpty()) {
                throw new RootOfTrustException("the TPM has no SHA-256 values for the PCRs "
                        + new PcrPolicy(rest).registers().indices()
                        + ": switch its SHA-256 bank on in the host's firmware");
            }
            if (got.size() != some.values().size() || got.size() > AT_ONCE || (returned(some) & ~rest) != 0) {
                throw Tpm.noResponse(CommandCode.PCR_READ, "other PCRs than asked for");
            }
            for (int i = 0; i < got.size(); i++) {
                byte[] value = some.values().get(i).bytes();
                if (value.length != Sha256.LENGTH) {
                    throw Tpm.noResponse(CommandCode.PCR_READ, "a PCR of " + value.length + " bytes");
                }
                values[got.get(i)] = value;
            }
            if (counter != null && counter != some.updateCounter()) {
                return false;
            }
            counter = some.updateCounter();
            rest &= ~returned(some);
        }
        return true;
    }

    private static int returned(Structures.PcrValues some) {
        int bitmap = 0;
        for (Structures.PcrSelection selection : some.pcrs()) {
            if (selection.hash() == Structures.ALG_SHA256) {
                for (int i = 0; i < Math.min(selection.select().length, PcrSet.COUNT / Byte.SIZE); i++) {
                    bitmap |= (selection.select()[i] & 0xFF) << (Byte.SIZE * i);
                }
            }
        }
        return bitmap;
    }

    private static byte[] number(CommandCode code) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(code.code()).array();
    }
}
