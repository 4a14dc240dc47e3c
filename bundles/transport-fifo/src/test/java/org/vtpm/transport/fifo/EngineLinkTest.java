package org.vtpm.transport.fifo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.transport.fifo.FakeEngine.FAIL;
import static org.vtpm.transport.fifo.FakeEngine.SUCCESS;
import static org.vtpm.transport.fifo.FakeEngine.code;
import static org.vtpm.transport.fifo.FakeEngine.command;
import static org.vtpm.transport.fifo.FakeEngine.response;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.transport.fifo.Rig.Kind;

/** What the manager may expect of a link, whatever it is made of. */
@Timeout(60)
class EngineLinkTest {
    @TempDir
    Path temporary;

    private final FakeEngine engine = new FakeEngine();
    private Rig rig;

    @BeforeEach
    void open() throws IOException {
        rig = new Rig(temporary);
    }

    @AfterEach
    void close() throws Exception {
        engine.release();
        rig.close();
    }

    @ParameterizedTest
    @EnumSource
    void everyLengthAndLocalityArrivesAsItWasSent(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        Random random = new Random(1);
        for (int length : new int[] {0, 1, 2, 1000, 4067, 4085}) {
            byte[] parameters = new byte[length];
            random.nextBytes(parameters);
            int locality = length % 5;
            byte[] echo = new byte[length + 1];
            echo[0] = (byte) locality;
            System.arraycopy(parameters, 0, echo, 1, length);
            assertThat(link.execute(locality, command(FakeEngine.ECHO, parameters)))
                    .isEqualTo(response(SUCCESS, echo));
        }
    }

    @ParameterizedTest
    @EnumSource
    void theGreatestCommandAndResponsePass(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        assertThat(link.execute(0, command(FakeEngine.SAVE, new byte[4086]))).isEqualTo(response(SUCCESS));
        assertThat(link.execute(0, command(FakeEngine.LARGE))).hasSize(4096);
    }

    @ParameterizedTest
    @EnumSource
    void stateIsSavedBeforeTheResponse(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        byte[] state = {1, 2, 3};
        assertThat(link.execute(0, command(FakeEngine.SAVE_TWICE, state))).isEqualTo(response(SUCCESS));
        assertThat(rig.saved).hasSize(2);
        assertThat(rig.saved.get(0)).containsOnlyKeys(StateKind.SAVED);
        assertThat(rig.saved.get(0).get(StateKind.SAVED)).isEqualTo(state);
        assertThat(rig.saved.get(1)).containsOnlyKeys(StateKind.PERMANENT);
    }

    @ParameterizedTest
    @EnumSource
    void stateLargerThanAPipeArrivesWhole(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        for (int i = 0; i < 3; i++) {
            assertThat(link.execute(0, command(FakeEngine.SAVE_MUCH))).isEqualTo(response(SUCCESS));
            assertThat(rig.saved.get(i)).containsOnlyKeys(StateKind.PERMANENT, StateKind.SAVED);
            assertThat(rig.saved.get(i).get(StateKind.PERMANENT)).isEqualTo(FakeEngine.muchState());
            assertThat(rig.saved.get(i).get(StateKind.SAVED)).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void anEngineIsToldThatItsStateCouldNotBeStored(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        rig.fault.set(new IOException("disk full"));
        assertThat(code(link.execute(0, command(FakeEngine.SAVE)))).isEqualTo(FAIL);
        rig.fault.set(null);
        assertThat(code(link.execute(0, command(FakeEngine.SAVE)))).isEqualTo(SUCCESS);
        assertThat(rig.saved).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(names = "LOOPBACK", mode = EnumSource.Mode.EXCLUDE)
    void stateThatNoMessageCanHoldIsAnErrorOfThatCommandOnly(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        assertThat(code(link.execute(0, command(FakeEngine.SAVE_TOO_MUCH)))).isEqualTo(FAIL);
        assertThat(code(link.execute(0, command(FakeEngine.ECHO)))).isEqualTo(SUCCESS);
    }

    @ParameterizedTest
    @EnumSource
    void aSnapshotIsTakenBetweenTwoCommandsAndTheEngineGoesOn(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        assertThat(link.snapshot()).isEqualTo(FakeEngine.muchState());
        assertThat(code(link.execute(0, command(FakeEngine.SAVE)))).isEqualTo(SUCCESS);
        assertThat(link.snapshot()).isEqualTo(FakeEngine.muchState());
        assertThat(code(link.execute(0, command(FakeEngine.ECHO)))).isEqualTo(SUCCESS);
        assertThat(rig.saved).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(names = "LOOPBACK", mode = EnumSource.Mode.EXCLUDE)
    void aSnapshotThatNoMessageCanHoldIsRefused(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        engine.snapshot = new byte[1 << 20];
        assertThatIOException().isThrownBy(link::snapshot).withMessageContaining("larger than a message can hold");
    }

    @ParameterizedTest
    @EnumSource
    void anEngineThatGivesNoSnapshotEndsItsLinkWithAnIoException(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        engine.snapshot = new byte[0];
        assertThatIOException().isThrownBy(link::snapshot).withMessageContaining(Rig.INSTANCE.toString());
        assertThatIOException().isThrownBy(() -> link.execute(0, command(FakeEngine.ECHO)));
    }

    @ParameterizedTest
    @EnumSource
    void anEngineThatThrowsEndsItsLinkWithAnIoException(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        assertThatIOException()
                .isThrownBy(() -> link.execute(0, command(FakeEngine.THROW)))
                .withMessageContaining(Rig.INSTANCE.toString());
        assertThatIOException().isThrownBy(() -> link.execute(0, command(FakeEngine.ECHO)));
    }

    @ParameterizedTest
    @EnumSource
    void aClosedLinkCarriesNothing(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        link.close();
        link.close();
        assertThatIOException().isThrownBy(() -> link.execute(0, command(FakeEngine.ECHO)));
        assertThatIOException().isThrownBy(link::snapshot);
        assertThat(engine.executed).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptedThreadGetsThrough(Kind kind) throws Exception {
        EngineLink link = rig.open(kind, engine);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> link.execute(0, command(FakeEngine.ECHO))).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(engine.executed).hasValue(0);
        assertThatIOException().isThrownBy(() -> link.execute(0, command(FakeEngine.ECHO)));
    }

    @ParameterizedTest
    @EnumSource(names = "FIFO_PROCESS", mode = EnumSource.Mode.EXCLUDE)
    void anEngineMovesToAnotherLinkAfterTheFirstWasClosed(Kind kind) throws Exception {
        for (int i = 0; i < 50; i++) {
            EngineLink link = rig.open(kind, engine);
            assertThat(code(link.execute(0, command(FakeEngine.SAVE)))).isEqualTo(SUCCESS);
            link.close();
        }
        assertThat(rig.saved).hasSize(50);
    }
}
