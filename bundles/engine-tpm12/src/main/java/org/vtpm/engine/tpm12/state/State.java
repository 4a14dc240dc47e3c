package org.vtpm.engine.tpm12.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

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
            addMissing(permanent::secrets, kept.permanent::secrets, dropped);
        }
        if (stClear != kept.stClear) {
            addMissing(stClear::secrets, kept.stClear::secrets, dropped);
        }
        if (volatiles != kept.volatiles) {
            addMissing(volatiles::secrets, kept.volatiles::secrets, dropped);
        }
        // Most commands drop none; a secret may also have moved from one part to another.
        if (!dropped.isEmpty()) {
            List<byte[]> gone = new ArrayList<>();
            addMissing(dropped::forEach, kept::secrets, gone);
            gone.forEach(secret -> Arrays.fill(secret, (byte) 0));
        }
    }

    /** From one state to the next most arrays stay, in their order: only where the two differ is a search needed. */
    @SuppressWarnings("ReferenceEquality")
    private static void addMissing(
            Consumer<Consumer<byte[]>> secrets, Consumer<Consumer<byte[]>> kept, List<byte[]> missing) {
        List<byte[]> before = new ArrayList<>();
        secrets.accept(before::add);
        List<byte[]> after = new ArrayList<>();
        kept.accept(after::add);
        int start = 0;
        while (start < Math.min(before.size(), after.size()) && before.get(start) == after.get(start)) {
            start++;
        }
        int end = before.size();
        int afterEnd = after.size();
        while (end > start && afterEnd > start && before.get(end - 1) == after.get(afterEnd - 1)) {
            end--;
            afterEnd--;
        }
        if (start < end) {
            Set<byte[]> live = Collections.newSetFromMap(new IdentityHashMap<>());
            live.addAll(after);
            for (byte[] secret : before.subList(start, end)) {
                if (!live.contains(secret)) {
                    missing.add(secret);
                }
            }
        }
    }

    /** Zeroes all secrets. */
    public void zeroSecrets() {
        secrets(secret -> Arrays.fill(secret, (byte) 0));
    }

    private void secrets(Consumer<byte[]> visitor) {
        permanent.secrets(visitor);
        stClear.secrets(visitor);
        volatiles.secrets(visitor);
    }
}
