package org.vtpm.engine.tpm12.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * All that one TPM remembers.
 *
 * @param permanent survives loss of power
 * @param stClear lives until TPM_Startup(ST_CLEAR); TPM_SaveState keeps it over a loss of power
 * @param volatiles lost with the power
 */
public record State(PermanentState permanent, StClearState stClear, VolatileState volatiles) {
    public State withPermanent(PermanentState to) {
        return new State(to, stClear, volatiles);
    }

    public State withStClear(StClearState to) {
        return new State(permanent, to, volatiles);
    }

    public State withVolatiles(VolatileState to) {
        return new State(permanent, stClear, to);
    }

    /** Zeroes the secrets of this state that {@code kept} does not hold too. */
    @SuppressWarnings("ReferenceEquality") // parts that share all their arrays need no search
    public void zeroSecretsNotIn(State kept) {
        List<byte[]> dropped = new ArrayList<>();
        if (permanent != kept.permanent) {
            addMissing(permanent.secrets(), kept.permanent.secrets(), dropped);
        }
        if (stClear != kept.stClear) {
            addMissing(stClear.secrets(), kept.stClear.secrets(), dropped);
        }
        if (volatiles != kept.volatiles) {
            addMissing(volatiles.secrets(), kept.volatiles.secrets(), dropped);
        }
        // Most commands drop none; a secret may also have moved from one part to another.
        if (!dropped.isEmpty()) {
            List<byte[]> gone = new ArrayList<>();
            addMissing(dropped.stream(), kept.secrets(), gone);
            gone.forEach(secret -> Arrays.fill(secret, (byte) 0));
        }
    }

    /** From one state to the next most arrays stay, in their order: only where the two differ is a search needed. */
    @SuppressWarnings("ReferenceEquality")
    private static void addMissing(Stream<byte[]> secrets, Stream<byte[]> kept, List<byte[]> missing) {
        byte[][] before = secrets.toArray(byte[][]::new);
        byte[][] after = kept.toArray(byte[][]::new);
        int start = 0;
        while (start < Math.min(before.length, after.length) && before[start] == after[start]) {
            start++;
        }
        int end = before.length;
        int afterEnd = after.length;
        while (end > start && afterEnd > start && before[end - 1] == after[afterEnd - 1]) {
            end--;
            afterEnd--;
        }
        if (start < end) {
            Set<byte[]> live = Collections.newSetFromMap(new IdentityHashMap<>());
            Collections.addAll(live, after);
            Arrays.stream(before, start, end)
                    .filter(secret -> !live.contains(secret))
                    .forEach(missing::add);
        }
    }

    /** Zeroes all secrets. */
    public void zeroSecrets() {
        secrets().forEach(secret -> Arrays.fill(secret, (byte) 0));
    }

    private Stream<byte[]> secrets() {
        return Stream.of(permanent.secrets(), stClear.secrets(), volatiles.secrets())
                .flatMap(secrets -> secrets);
    }
}
