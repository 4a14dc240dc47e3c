package org.vtpm.transport.loopback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;

class LoopbackTransportTest {
    private static final UUID INSTANCE = new UUID(1, 2);
    private static final byte[] COMMAND = {0, (byte) 0xC1, 0, 0, 0, 10, 0, 0, 0, 80};

    private final List<Map<StateKind, byte[]>> saved = new ArrayList<>();
    private final Recorder engine = new Recorder();

    @Test
    void commandAndLocalityReachTheEngineAndItsStateReachesTheSink() throws Exception {
        try (EngineLink link = connect(engine)) {
            assertThat(link.execute(3, COMMAND)).containsExactly(3, 10);
        }
        assertThat(saved).hasSize(1);
        assertThat(saved.get(0).get(StateKind.PERMANENT)).isEqualTo(COMMAND);
        assertThat(engine.closed).as("the engine outlives its link").isFalse();
    }

    @Test
    void theEngineSaysWhatIsBrief() {
        EngineLink link = connect(engine);
        assertThat(link.isBrief(COMMAND)).isFalse();
        engine.brief = true;
        assertThat(link.isBrief(COMMAND)).isTrue();
    }

    @Test
    void aClosedLinkRunsNothing() {
        EngineLink link = connect(engine);
        link.close();
        link.close();
        assertThatIOException().isThrownBy(() -> link.execute(0, COMMAND)).withMessageContaining(INSTANCE.toString());
        assertThat(saved).isEmpty();
    }

    @Test
    void anInterruptedThreadStartsNothing() {
        EngineLink link = connect(engine);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> link.execute(0, COMMAND)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(saved).isEmpty();
        assertThatIOException().isThrownBy(() -> link.execute(0, COMMAND));
    }

    @Test
    void anEngineThatThrowsEndsTheLink() {
        EngineLink link = connect(new Recorder() {
            @Override
            public byte[] execute(int locality, byte[] command, StateSink sink) {
                throw new IllegalStateException("broken");
            }
        });
        assertThatIOException()
                .isThrownBy(() -> link.execute(0, COMMAND))
                .withMessageContaining(INSTANCE.toString())
                .withCauseInstanceOf(IllegalStateException.class);
        assertThatIOException().isThrownBy(() -> link.execute(0, COMMAND)).withMessageContaining("closed");
    }

    private EngineLink connect(Engine of) {
        return new LoopbackTransport().connect(INSTANCE, of, saved::add);
    }

    private static class Recorder implements Engine {
        private boolean closed;
        private boolean brief;

        @Override
        public byte[] execute(int locality, byte[] command, StateSink sink) {
            try {
                sink.save(Map.of(StateKind.PERMANENT, command));
            } catch (IOException e) {
                return new byte[0];
            }
            return new byte[] {(byte) locality, (byte) command.length};
        }

        @Override
        public boolean isBrief(byte[] command) {
            return brief;
        }

        @Override
        public int dynamicLaunch(LaunchSignal signal, byte[] data, StateSink sink) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] snapshot() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
