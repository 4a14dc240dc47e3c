package org.vtpm.hosttpm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.Examination.PcrDifference;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.RootOfTrustException;

/**
 * Some of a host's platform configuration registers, in one bank. Their values are kept one after the other, in ascending
 * order of the registers.
 *
 * @param bitmap bit n stands for PCR n
 * @param valueLength length of each value in bytes: 20 in the SHA-1 bank, 32 in the SHA-256 bank
 */
public record PcrSet(int bitmap, int valueLength) {
    /** Number of PCRs that a PC's TPM has. */
    public static final int COUNT = 24;

    /**
     * The set of these registers.
     *
     * @throws RootOfTrustException if there is no such register
     */
    public static PcrSet of(Collection<Integer> indices, int valueLength) throws RootOfTrustException {
        int bitmap = 0;
        for (int index : indices) {
            if (index < 0 || index >= COUNT) {
                throw new RootOfTrustException("there is no PCR " + index + ": they are numbered 0 to " + (COUNT - 1));
            }
            bitmap |= 1 << index;
        }
        return new PcrSet(bitmap, valueLength);
    }

    /** The registers in ascending order. */
    public List<Integer> indices() {
        return IntStream.range(0, COUNT)
                .filter(index -> (bitmap & (1 << index)) != 0)
                .boxed()
                .toList();
    }

    /** Length in bytes of the values of all these registers. */
    public int length() {
        return Integer.bitCount(bitmap) * valueLength;
    }

    /**
     * Puts the values of these registers together.
     *
     * @throws RootOfTrustException if they are of other registers, or have another length
     */
    public byte[] bytes(List<PcrValue> values) throws RootOfTrustException {
        List<PcrValue> sorted =
                values.stream().sorted(Comparator.comparingInt(PcrValue::index)).toList();
        if (!sorted.stream().map(PcrValue::index).toList().equals(indices())) {
            throw new RootOfTrustException("values are needed for the PCRs " + indices() + ", each once");
        }
        byte[] bytes = new byte[length()];
        for (int i = 0; i < sorted.size(); i++) {
            byte[] value = sorted.get(i).value();
            if (value.length != valueLength) {
                throw new RootOfTrustException("PCR " + sorted.get(i).index() + " is given with " + value.length
                        + " bytes, but values have " + valueLength + " here");
            }
            System.arraycopy(value, 0, bytes, i * valueLength, valueLength);
        }
        return bytes;
    }

    /** Takes apart what {@link #bytes} put together. */
    public List<PcrValue> values(byte[] bytes) {
        List<PcrValue> values = new ArrayList<>();
        for (int index : indices()) {
            int at = values.size() * valueLength;
            values.add(new PcrValue(index, Arrays.copyOfRange(bytes, at, at + valueLength)));
        }
        return values;
    }

    /**
     * What keeps closed what opens in an approved state only.
     *
     * @param now the values that the registers have
     * @param approved those that they have in each approved state
     */
    public Examination examine(byte[] now, List<byte[]> approved) {
        if (approved.isEmpty()) {
            return new Examination(
                    List.of("no state of the host is approved yet: sign the policy of PCRs " + indices()
                            + " with the operator's key, and approve it"),
                    List.of(),
                    0);
        }
        List<PcrDifference> nearest = approved.stream()
                .map(state -> differences(values(now), values(state)))
                .min(Comparator.comparingInt(List::size))
                .orElseThrow();
        List<String> problems = new ArrayList<>();
        for (PcrDifference each : nearest) {
            problems.add("PCR " + each.now() + ", but the approved state that is nearest has " + each.approved() + ": "
                    + PcrUse.of(each.now().index()));
        }
        if (!problems.isEmpty()) {
            problems.add("boot what was approved, or sign the policy of these values with the operator's key and"
                    + " approve it, if they are what they should be");
        }
        return new Examination(problems, nearest, approved.size());
    }

    private static List<PcrDifference> differences(List<PcrValue> now, List<PcrValue> approved) {
        List<PcrDifference> differences = new ArrayList<>();
        for (int i = 0; i < now.size(); i++) {
            if (!now.get(i).equals(approved.get(i))) {
                differences.add(new PcrDifference(now.get(i), approved.get(i)));
            }
        }
        return differences;
    }
}
