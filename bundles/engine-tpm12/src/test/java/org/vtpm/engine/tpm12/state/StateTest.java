package org.vtpm.engine.tpm12.state;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vtpm.tpm12.structure.Adip;

/** What becomes of the secrets of a state that was left behind. */
class StateTest {
    private static final TickSession TICKS = new TickSession(0, new byte[20]);

    private final byte[] sessionSecret = {1, 1};
    private final byte[] otherSecret = {2, 2};

    private final StClearState withSessions =
            StClearState.initial(false).withSession(session(1, sessionSecret)).withSession(session(2, otherSecret));

    private static Session session(int handle, byte[] secret) {
        return new Session(handle, Session.OSAP, Adip.XOR, Entity.OWNER, new byte[20], secret, null);
    }

    private static State state(StClearState stClear, byte[] saved) {
        return new State(PermanentState.factory(null), stClear, VolatileState.initial(saved, TICKS));
    }

    @Test
    void whatIsNoLongerThereIsZeroed() {
        State before = state(withSessions, new byte[] {3});
        before.zeroSecretsNotIn(before.withStClear(withSessions.withoutSessions(session -> session.handle() == 1)));
        assertThat(sessionSecret).containsExactly(0, 0);
        assertThat(otherSecret).containsExactly(2, 2);
        assertThat(before.volatiles().saved()).containsExactly(3);
    }

    @Test
    void whatMovedToAnotherPartStays() {
        byte[] saved = {3, 3};
        State before = state(StClearState.initial(false), saved);
        State after = new State(
                before.permanent(),
                StClearState.initial(false).withSession(session(1, saved)),
                VolatileState.initial(null, TICKS));
        before.zeroSecretsNotIn(after);
        assertThat(saved).containsExactly(3, 3);
        after.zeroSecretsNotIn(state(StClearState.initial(false), null));
        assertThat(saved).containsExactly(0, 0);
    }
}
