package org.vtpm.transport.fifo.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.StateSink;

/** One end against a peer that the test plays, message by message. */
@Timeout(30)
class ConversationTest {
    private static final byte[] SECRET = new byte[32];
    private static final byte[] COMMAND = HexFormat.of().parseHex("00c10000000a00000050");
    private static final byte[] RESPONSE = HexFormat.of().parseHex("00c40000000a00000000");
    private static final byte[] STATE = {7, 8, 9};

    private final ExecutorService background = Executors.newCachedThreadPool();
    private final List<byte[]> saved = new ArrayList<>();
    private FramePipe managerPipe;
    private FramePipe enginePipe;

    @BeforeEach
    void open() throws IOException {
        Pipe commands = Pipe.open();
        Pipe responses = Pipe.open();
        managerPipe = new FramePipe(Role.MANAGER, responses.source(), commands.sink(), SECRET);
        enginePipe = new FramePipe(Role.ENGINE, commands.source(), responses.sink(), SECRET);
    }

    @AfterEach
    void close() throws IOException {
        background.shutdownNow();
        managerPipe.close();
        enginePipe.close();
    }

    // The manager's end

    @Test
    void theManagerSkipsWhatAnEarlierLinkWasAnswered() throws Exception {
        ManagerEnd manager = manager();
        Future<byte[]> response = start(() -> manager.execute(0, COMMAND));
        Frame command = enginePipe.read();
        long before = command.conversation() - 1;
        enginePipe.write(new Frame(false, 0, before, 1, savenvm()));
        enginePipe.write(new Frame(true, 0, before, 3, RESPONSE));
        enginePipe.write(command.reply(true, RESPONSE));
        assertThat(response.get()).isEqualTo(RESPONSE);
        assertThat(saved).isEmpty();
    }

    @Test
    void theManagerStoresAMessageOnce() throws Exception {
        ManagerEnd manager = manager();
        Future<byte[]> response = start(() -> manager.execute(0, COMMAND));
        Frame save = enginePipe.read().reply(false, savenvm());
        enginePipe.write(save);
        assertThat(ControlPacket.of(enginePipe.read(), ControlPacket.RESPONSE).code())
                .isZero();
        enginePipe.write(save);
        fails(response, "out of turn");
        assertThat(saved).containsExactly(STATE);
    }

    @Test
    void theManagerRefusesConversationsItDidNotBegin() throws Exception {
        ManagerEnd manager = manager();
        Future<byte[]> response = start(() -> manager.execute(0, COMMAND));
        enginePipe.write(new Frame(true, 0, enginePipe.read().conversation() + 1, 1, RESPONSE));
        fails(response, "out of turn");
    }

    @Test
    void theManagerRefusesUnknownRequests() throws Exception {
        ManagerEnd manager = manager();
        Future<byte[]> response = start(() -> manager.execute(0, COMMAND));
        enginePipe.write(enginePipe.read().reply(false, ControlPacket.request(4, COMMAND)));
        fails(response, "unknown request 4");
    }

    @Test
    void theManagerRefusesSnapshotsThatAreNone() throws Exception {
        for (Map<StateKind, byte[]> other : List.of(
                state(), Map.<StateKind, byte[]>of(), Map.of(StateKind.VOLATILE, STATE, StateKind.SAVED, STATE))) {
            open();
            ManagerEnd manager = manager();
            Future<byte[]> snapshot = start(manager::snapshot);
            enginePipe.write(enginePipe.read().reply(false, ControlPacket.response(0, StateParts.encode(other))));
            fails(snapshot, "other than a snapshot");
        }
        assertThat(saved).isEmpty();
    }

    @Test
    void theManagerRefusesStateThatIsNone() throws Exception {
        for (String parts :
                new String[] {"", "01", "0104000000010a", "010100000002ff", "02010000000001000000000", "04"}) {
            open();
            ManagerEnd manager = manager();
            Future<byte[]> response = start(() -> manager.execute(0, COMMAND));
            byte[] parameters = HexFormat.of().parseHex(parts.substring(0, parts.length() & ~1));
            enginePipe.write(enginePipe.read().reply(false, ControlPacket.request(ControlPacket.SAVENVM, parameters)));
            assertThatExceptionOfType(ExecutionException.class)
                    .as(parts)
                    .isThrownBy(response::get)
                    .withCauseInstanceOf(FrameException.class);
        }
        assertThat(saved).isEmpty();
    }

    @Test
    void whatAGuestSendsIsNeverTakenForTheChannelsOwn() throws Exception {
        byte[] loadnvm = ControlPacket.loadnvm();
        ManagerEnd manager = manager();
        Future<byte[]> response = start(() -> manager.execute(0, loadnvm));
        EngineEnd engine = new EngineEnd(enginePipe);
        engine.serve(new Scripted((command, sink) -> savenvm()));
        assertThat(response.get()).isEqualTo(savenvm());
        assertThat(saved).isEmpty();
    }

    @Test
    void conversationsOfALaterLinkHaveGreaterNumbers() throws Exception {
        long before = 0;
        for (int link = 0; link < 3; link++) {
            ManagerEnd manager = manager();
            for (int i = 0; i < 3; i++) {
                Future<byte[]> response = start(() -> manager.execute(0, COMMAND));
                Frame command = enginePipe.read();
                enginePipe.write(command.reply(true, RESPONSE));
                response.get();
                assertThat(command.conversation()).isGreaterThan(before);
                before = command.conversation();
            }
        }
    }

    // The engine's end

    @Test
    void theEngineExecutesACommandOnce() throws Exception {
        EngineEnd engine = new EngineEnd(enginePipe);
        Frame command = new Frame(true, 0, 50, 0, COMMAND);
        managerPipe.write(command);
        managerPipe.write(command);
        engine.serve(new Scripted((bytes, sink) -> RESPONSE));
        assertThatExceptionOfType(FrameException.class)
                .isThrownBy(() -> engine.serve(new Scripted((bytes, sink) -> RESPONSE)))
                .withMessageContaining("out of turn");
    }

    @Test
    void aCommandOfALaterLinkUndoesTheOneThatIsSaving() throws Exception {
        EngineEnd engine = new EngineEnd(enginePipe);
        managerPipe.write(new Frame(true, 0, 50, 0, COMMAND));
        managerPipe.write(new Frame(true, 2, 60, 0, COMMAND));
        engine.serve(new Scripted((bytes, sink) -> {
            assertThatIOException().isThrownBy(() -> sink.save(state())).withMessageContaining("left");
            assertThatIOException().isThrownBy(() -> sink.save(state())).withMessageContaining("left");
            return RESPONSE;
        }));
        engine.serve(new Scripted((bytes, sink) -> RESPONSE));
        assertThat(managerPipe.read().conversation()).isEqualTo(50); // the SAVENVM that nobody answered
        Frame response = managerPipe.read();
        assertThat(response.conversation()).isEqualTo(60);
        assertThat(response.guest()).isTrue();
    }

    @Test
    void aSnapshotForALaterLinkUndoesTheCommandThatIsSaving() throws Exception {
        EngineEnd engine = new EngineEnd(enginePipe);
        managerPipe.write(new Frame(true, 0, 50, 0, COMMAND));
        managerPipe.write(new Frame(false, 0, 60, 0, ControlPacket.request(ControlPacket.SNAPSHOT, new byte[0])));
        Scripted scripted = new Scripted((bytes, sink) -> {
            assertThatIOException().isThrownBy(() -> sink.save(state())).withMessageContaining("left");
            return RESPONSE;
        });
        engine.serve(scripted);
        engine.serve(scripted);
        assertThat(managerPipe.read().conversation()).isEqualTo(50); // the SAVENVM that nobody answered
        Frame answer = managerPipe.read();
        assertThat(answer.conversation()).isEqualTo(60);
        assertThat(ControlPacket.of(answer, ControlPacket.RESPONSE).parameters())
                .isEqualTo(StateParts.encode(Map.of(StateKind.VOLATILE, STATE)));
    }

    @Test
    void theEngineRefusesRequestsThatAreNotTheManagers() throws Exception {
        for (int ordinal : new int[] {0, ControlPacket.SAVENVM, ControlPacket.LOADNVM, 4}) {
            open();
            EngineEnd engine = new EngineEnd(enginePipe);
            managerPipe.write(new Frame(false, 0, 50, 0, ControlPacket.request(ordinal, new byte[0])));
            assertThatExceptionOfType(FrameException.class)
                    .isThrownBy(() -> engine.serve(new Scripted((bytes, sink) -> RESPONSE)))
                    .withMessageContaining("unknown request " + ordinal);
        }
    }

    @Test
    void anAcknowledgementOutOfTurnEndsTheChannelThoughTheEngineGoesOn() throws Exception {
        EngineEnd engine = new EngineEnd(enginePipe);
        managerPipe.write(new Frame(true, 0, 50, 0, COMMAND));
        managerPipe.write(new Frame(false, 0, 49, 2, ControlPacket.response(0, new byte[0])));
        assertThatExceptionOfType(FrameException.class)
                .isThrownBy(() -> engine.serve(new Scripted((bytes, sink) -> {
                    assertThatIOException().isThrownBy(() -> sink.save(state()));
                    return RESPONSE;
                })))
                .withMessageContaining("out of turn");
    }

    // LOADNVM

    @Test
    void theEngineIsOpenedWithTheStateItIsGiven() throws Exception {
        Map<StateKind, byte[]> given = Map.of(StateKind.PERMANENT, STATE, StateKind.SAVED, new byte[0]);
        ManagerEnd manager = manager();
        Future<?> load = start(() -> {
            manager.load(given);
            return null;
        });
        List<Map<StateKind, byte[]>> opened = new ArrayList<>();
        new EngineEnd(enginePipe).load(state -> {
            assertThat(state).containsOnlyKeys(StateKind.PERMANENT, StateKind.SAVED);
            assertThat(state.get(StateKind.PERMANENT)).isEqualTo(STATE);
            assertThat(state.get(StateKind.SAVED)).isEmpty();
            opened.add(state);
            return new Scripted((bytes, sink) -> RESPONSE);
        });
        load.get();
        assertThat(opened.get(0).get(StateKind.PERMANENT))
                .as("zeroed afterwards")
                .isEqualTo(new byte[3]);
    }

    @Test
    void whyAnEngineCannotBeOpenedReachesTheManagerInOneLine() throws Exception {
        ManagerEnd manager = manager();
        Future<?> load = start(() -> {
            manager.load(state());
            return null;
        });
        String reason = "damaged\nstate" + "x".repeat(1000);
        assertThatExceptionOfType(EngineStateException.class)
                .isThrownBy(() -> new EngineEnd(enginePipe).load(state -> {
                    throw new EngineStateException(reason);
                }));
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(load::get)
                .withMessageContaining("damaged?state")
                .satisfies(e -> assertThat(e.getCause().getMessage().length()).isLessThan(600));
    }

    @Test
    void anEngineOfAnotherReleaseIsTurnedAway() throws Exception {
        ManagerEnd manager = manager();
        Future<?> load = start(() -> {
            manager.load(state());
            return null;
        });
        enginePipe.write(new Frame(false, 0, 0, 0, ControlPacket.request(ControlPacket.LOADNVM, new byte[] {0, 1})));
        ControlPacket answer = ControlPacket.of(enginePipe.read(), ControlPacket.RESPONSE);
        assertThat(answer.code()).isEqualTo(ControlPacket.FAIL);
        assertThat(answer.reason()).contains("different releases");
        fails(load, "different releases");
    }

    @Test
    void nothingIsGivenToWhoAsksForSomethingElse() throws Exception {
        ManagerEnd manager = manager();
        Future<?> load = start(() -> {
            manager.load(state());
            return null;
        });
        enginePipe.write(new Frame(false, 0, 0, 0, savenvm()));
        fails(load, "before LOADNVM");
        assertThat(saved).isEmpty();
    }

    private ManagerEnd manager() {
        return new ManagerEnd(
                managerPipe,
                changes -> saved.add(changes.get(StateKind.PERMANENT).clone()));
    }

    private static Map<StateKind, byte[]> state() {
        return Map.of(StateKind.PERMANENT, STATE);
    }

    private static byte[] savenvm() throws IOException {
        return ControlPacket.request(ControlPacket.SAVENVM, StateParts.encode(state()));
    }

    private <T> Future<T> start(Callable<T> task) {
        return background.submit(task);
    }

    private static void fails(Future<?> task, String why) {
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(task::get)
                .withCauseInstanceOf(IOException.class)
                .withMessageContaining(why);
    }

    /** What an engine does with a command. */
    @FunctionalInterface
    private interface Script {
        byte[] run(byte[] command, StateSink sink) throws IOException;
    }

    private record Scripted(Script script) implements Engine {
        @Override
        public byte[] execute(int locality, byte[] command, StateSink sink) {
            try {
                return script.run(command, sink);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public int dynamicLaunch(LaunchSignal signal, byte[] data, StateSink sink) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] snapshot() {
            return STATE.clone();
        }

        @Override
        public void close() {}
    }
}
