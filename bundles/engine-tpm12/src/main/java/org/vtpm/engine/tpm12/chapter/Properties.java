package org.vtpm.engine.tpm12.chapter;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteWriter;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Counters;
import org.vtpm.engine.tpm12.state.DelegationTables;
import org.vtpm.engine.tpm12.state.PcrBank;
import org.vtpm.engine.tpm12.state.SavedContexts;
import org.vtpm.engine.tpm12.state.StClearState;

/** TPM_CAP_PROPERTY (TPM Main Part 2, section 21.2). */
final class Properties {
    static final int MANUFACTURER = 0x103;
    static final int TIS_TIMEOUT = 0x115;
    static final int DURATION = 0x120;

    private static final int ANY_DISTANCE = 0xFFFFFFFF;
    /** TPM_STARTUP_EFFECTS: ST_CLEAR zeroes the audit digest, ST_STATE the hash thread; keys as deprecated. */
    private static final int STARTUP_EFFECTS = 0x54;

    /** Generous, since the host's scheduler has its say: TIS timeouts and command durations, in microseconds. */
    private static final int TIMEOUT = 1_000_000;

    private static final int SHORT = 50_000_000;
    private static final int MEDIUM = 100_000_000;
    private static final int LONG = 300_000_000;

    private Properties() {}

    /** The value of a property, or null if there is none of this number. */
    static byte @Nullable [] get(Transaction tx, int property) {
        int freeSessions = StClearState.MAX_SESSIONS - tx.stClear().sessions().size();
        int freeTransports =
                StClearState.MAX_TRANSPORTS - tx.stClear().transports().size();
        return switch (property) {
            case 0x101 -> numbers(PcrBank.COUNT);
            case 0x102 -> numbers(1); // DIR registers
            case MANUFACTURER -> Identification.vendor();
            case 0x104 -> numbers(Keys.freeSlots(tx)); // free key slots
            case 0x107 -> numbers(0); // MIN_COUNTER: no throttling
            case 0x10A -> numbers(freeSessions);
            case 0x10B -> numbers(freeTransports);
            case 0x10C -> numbers(Counters.MAX - tx.permanent().counters().all().size()); // free counters
            case 0x10D -> numbers(StClearState.MAX_SESSIONS);
            case 0x10E -> numbers(StClearState.MAX_TRANSPORTS);
            case 0x10F -> numbers(Counters.MAX);
            case 0x110 -> numbers(StClearState.MAX_KEYS);
            case 0x111 -> bool(tx.permanent().owner() != null);
            case 0x112 ->
                numbers(SavedContexts.MAX - tx.stClear().contexts().list().length); // free entries for saved sessions
            case 0x113 -> numbers(SavedContexts.MAX);
            case 0x114 -> numbers(DelegationTables.FAMILY_ROWS);
            case TIS_TIMEOUT -> numbers(TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT);
            case 0x116 -> numbers(STARTUP_EFFECTS);
            case 0x117 -> numbers(DelegationTables.DELEGATE_ROWS);
            case 0x119 -> numbers(StClearState.MAX_DAA_SESSIONS);
            case 0x11A ->
                numbers(StClearState.MAX_DAA_SESSIONS
                        - tx.stClear().daaSessions().size()); // free DAA sessions
            case 0x11B -> numbers(ANY_DISTANCE); // CONTEXT_DIST
            case 0x11C -> bool(true); // DAA_INTERRUPT
            case 0x11D -> numbers(freeSessions + freeTransports);
            case 0x11E -> numbers(StClearState.MAX_SESSIONS + StClearState.MAX_TRANSPORTS);
            case 0x11F -> numbers(tx.permanent().restrictDelegate());
            case DURATION -> numbers(SHORT, MEDIUM, LONG);
            case 0x122 -> numbers(activeCounter(tx.stClear())); // ACTIVE_COUNTER
            case 0x123 -> numbers(NvSpace.free(tx.permanent()));
            case 0x124 -> numbers(Command.MAX_BYTES);
            default -> null;
        };
    }

    private static int activeCounter(StClearState state) {
        return state.activeCounter() == Counters.RELEASED ? Counters.NONE : state.activeCounter();
    }

    static byte[] bool(boolean value) {
        return new byte[] {(byte) (value ? 1 : 0)};
    }

    private static byte[] numbers(int... values) {
        ByteWriter out = new ByteWriter(Integer.BYTES * values.length);
        for (int value : values) {
            out.i32(value);
        }
        return out.finish();
    }
}
