package org.vtpm.listener.swtpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vtpm.api.engine.TpmFamily;

/** What guests see, the same over both kinds of socket. */
@Timeout(60)
class SwtpmListenerTest {
    private static final Settings SETTINGS = new Settings(false, 128, Duration.ofMillis(300));
    private static final String BAD_SIZE = "00c40000000a00000019";
    private static final String BAD_TAG = "00c40000000a0000001e";

    enum Transport {
        TCP,
        UNIX
    }

    @TempDir
    Path folder;

    private SwtpmListener listener;
    private ExecutorService pool;

    @BeforeEach
    void start() throws IOException {
        listener = new SwtpmListener(SETTINGS);
        pool = Executors.newFixedThreadPool(4);
    }

    @AfterEach
    void stop() {
        listener.deactivate();
        pool.shutdownNow();
    }

    private URI serve(Transport transport, FakeInstance instance) throws IOException {
        URI endpoint = switch (transport) {
            case TCP -> Guest.freeTcp();
            case UNIX -> URI.create("unix:" + folder.resolve("guest.sock"));
        };
        listener.open(endpoint, instance);
        return endpoint;
    }

    @ParameterizedTest
    @EnumSource
    void aCommandIsAnsweredWhereverItIsSplit(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.on(pool));
        byte[] command = FakeInstance.command(26, 3);
        try (Guest guest = new Guest(endpoint)) {
            for (int split = 1; split < command.length; split++) {
                guest.send(ByteBuffer.allocate(split).put(command, 0, split).array());
                Thread.sleep(1);
                guest.send(ByteBuffer.allocate(command.length - split)
                        .put(command, split, command.length - split)
                        .array());
                assertThat(guest.receive()).containsExactly(FakeInstance.answer(command));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void bytesMayArriveOneByOne(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.direct());
        byte[] command = FakeInstance.command(300, 9);
        try (Guest guest = new Guest(endpoint)) {
            for (byte b : command) {
                guest.send(new byte[] {b});
            }
            assertThat(guest.receive()).containsExactly(FakeInstance.answer(command));
        }
    }

    @ParameterizedTest
    @EnumSource
    void pipelinedCommandsAreAnsweredInOrder(Transport transport) throws Exception {
        pipeline(serve(transport, FakeInstance.on(pool)));
    }

    @ParameterizedTest
    @EnumSource
    void pipelinedCommandsThatAreAnsweredOnTheSpotKeepTheirOrderToo(Transport transport) throws Exception {
        pipeline(serve(transport, FakeInstance.direct()));
    }

    private void pipeline(URI endpoint) throws Exception {
        ByteArrayOutputStream burst = new ByteArrayOutputStream();
        Random random = new Random(1);
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            byte[] command = FakeInstance.command(10 + random.nextInt(i % 7 == 0 ? 4087 : 60), i);
            burst.writeBytes(command);
            expected.add(FakeInstance.answer(command));
        }
        try (Guest guest = new Guest(endpoint)) {
            Future<?> sender = pool.submit(() -> {
                guest.send(burst.toByteArray());
                return null;
            });
            for (byte[] answer : expected) {
                assertThat(guest.receive()).containsExactly(answer);
            }
            sender.get(10, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void guestsMayComeOneAfterTheOther(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.direct());
        for (int i = 0; i < 200; i++) {
            try (Guest guest = new Guest(endpoint)) {
                byte[] command = FakeInstance.command(14, i);
                assertThat(guest.ask(command)).containsExactly(FakeInstance.answer(command));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aHundredGuestsAtOnceEachGetTheirOwnAnswers(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.on(pool));
        ExecutorService guests = Executors.newFixedThreadPool(100);
        try {
            List<Future<?>> runs = new ArrayList<>();
            for (int g = 0; g < 100; g++) {
                int guestNumber = g;
                runs.add(guests.submit(() -> {
                    try (Guest guest = new Guest(endpoint)) {
                        for (int i = 0; i < 50; i++) {
                            byte[] command = FakeInstance.command(10 + i * 20, guestNumber * 1000 + i);
                            assertThat(guest.ask(command)).containsExactly(FakeInstance.answer(command));
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> run : runs) {
                run.get(40, TimeUnit.SECONDS);
            }
        } finally {
            guests.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource
    void answersGoToTheirGuestsInWhateverOrderTheyBecomeReady(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.holding();
        URI endpoint = serve(transport, instance);
        List<Guest> guests = new ArrayList<>();
        List<byte[]> commands = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Guest guest = new Guest(endpoint);
            guests.add(guest);
            byte[] command = FakeInstance.command(20, i);
            commands.add(command);
            guest.send(command);
        }
        await(() -> instance.held.size() == 20);
        List<FakeInstance.Held> held = new ArrayList<>(instance.held);
        Collections.shuffle(held, new Random(2));
        held.forEach(FakeInstance.Held::complete);
        for (int i = 0; i < 20; i++) {
            assertThat(guests.get(i).receive()).containsExactly(FakeInstance.answer(commands.get(i)));
            guests.get(i).close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aGuestHasOneCommandUnderWayAtMost(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.holding();
        URI endpoint = serve(transport, instance);
        try (Guest guest = new Guest(endpoint);
                Guest other = new Guest(endpoint)) {
            guest.send(FakeInstance.command(12, 1), FakeInstance.command(12, 2));
            await(() -> instance.held.size() == 1);
            other.send(FakeInstance.command(12, 3));
            await(() -> instance.held.size() == 2);
            instance.held.remove().complete();
            assertThat(guest.receive()).containsExactly(FakeInstance.answer(FakeInstance.command(12, 1)));
            await(() -> instance.held.size() == 2);
            instance.held.forEach(FakeInstance.Held::complete);
            assertThat(guest.receive()).containsExactly(FakeInstance.answer(FakeInstance.command(12, 2)));
            assertThat(other.receive()).containsExactly(FakeInstance.answer(FakeInstance.command(12, 3)));
        }
        assertThat(instance.executed).hasValue(3);
    }

    @ParameterizedTest
    @EnumSource
    void aGuestThatDoesNotReadIsHeldBackAndLosesNothing(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.answering(4096);
        URI endpoint = serve(transport, instance);
        int commands = 20_000;
        try (Guest slow = new Guest(endpoint);
                Guest quick = new Guest(endpoint)) {
            Future<?> sender = pool.submit(() -> {
                for (int i = 0; i < commands; i++) {
                    slow.send(FakeInstance.command(10, i));
                }
                return null;
            });
            awaitStandstill(instance);
            int accepted = instance.executed.get();
            assertThat(accepted).isLessThan(commands);
            assertThat(ByteBuffer.wrap(quick.ask(FakeInstance.command(10, -7))).getInt(6))
                    .isEqualTo(-7);
            for (int i = 0; i < commands; i++) {
                byte[] response = slow.receive();
                assertThat(response).hasSize(4096);
                assertThat(ByteBuffer.wrap(response).getInt(6)).isEqualTo(i);
            }
            sender.get(10, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSizeThatNoCommandHasIsAnsweredAndTheGuestHungUpOn(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.direct();
        URI endpoint = serve(transport, instance);
        for (int size : new int[] {0, 9, 4097, Integer.MAX_VALUE, -1}) {
            try (Guest guest = new Guest(endpoint)) {
                byte[] good = FakeInstance.command(14, 7);
                byte[] bad = FakeInstance.command(5000, 8);
                ByteBuffer.wrap(bad).putInt(2, size);
                guest.send(good, bad);
                assertThat(guest.receive()).containsExactly(FakeInstance.answer(good));
                assertThat(guest.rest()).asHexString().isEqualToIgnoringCase(BAD_SIZE);
            }
        }
        assertThat(instance.executed).hasValue(5);
    }

    @ParameterizedTest
    @EnumSource
    void aCommandThatStopsHalfwayIsAnsweredAfterTheTimeout(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.direct();
        URI endpoint = serve(transport, instance);
        for (int sent : new int[] {1, 5, 6, 10, 13}) {
            try (Guest guest = new Guest(endpoint)) {
                guest.send(ByteBuffer.allocate(sent)
                        .put(FakeInstance.command(14, 1), 0, sent)
                        .array());
                assertThat(guest.rest()).asHexString().isEqualToIgnoringCase(BAD_SIZE);
            }
        }
        assertThat(instance.executed).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource
    void aGuestThatEndsItsInputStillGetsEveryAnswer(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.on(pool));
        try (Guest guest = new Guest(endpoint)) {
            guest.send(FakeInstance.command(14, 1), FakeInstance.command(14, 2), new byte[] {0, (byte) 0xC1, 0});
            guest.endInput();
            assertThat(guest.receive()).containsExactly(FakeInstance.answer(FakeInstance.command(14, 1)));
            assertThat(guest.receive()).containsExactly(FakeInstance.answer(FakeInstance.command(14, 2)));
            assertThat(guest.rest()).asHexString().isEqualToIgnoringCase(BAD_SIZE);
        }
        try (Guest guest = new Guest(endpoint)) {
            guest.endInput();
            assertThat(guest.rest()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void theManagersPrivateTagsAreRefusedAndTheStreamGoesOn(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.direct();
        URI endpoint = serve(transport, instance);
        try (Guest guest = new Guest(endpoint)) {
            for (int tag : new int[] {0x01C1, 0x01C2}) {
                byte[] control = FakeInstance.command(40, 2);
                ByteBuffer.wrap(control).putShort((short) tag);
                assertThat(guest.ask(control)).asHexString().isEqualToIgnoringCase(BAD_TAG);
            }
            assertThat(instance.executed).hasValue(0);
            byte[] good = FakeInstance.command(14, 7);
            assertThat(guest.ask(good)).containsExactly(FakeInstance.answer(good));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTpm20GuestIsRefusedInItsOwnFormat(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.of(TpmFamily.TPM_2_0));
        try (Guest guest = new Guest(endpoint)) {
            guest.send(HexFormat.of().parseHex("01c10000000a00000001" + "80010000000900000144"));
            assertThat(guest.receive()).asHexString().isEqualToIgnoringCase(BAD_TAG);
            assertThat(guest.rest()).asHexString().isEqualToIgnoringCase("80010000000a00000142");
        }
    }

    @ParameterizedTest
    @EnumSource
    void garbageNeitherStopsTheListenerNorDisturbsOtherGuests(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.on(pool));
        Random random = new Random(42);
        try (Guest wellBehaved = new Guest(endpoint)) {
            long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
            for (int i = 0; System.nanoTime() - end < 0; i++) {
                try (Guest hostile = new Guest(endpoint)) {
                    byte[] noise = new byte[random.nextInt(6000)];
                    random.nextBytes(noise);
                    if (noise.length > 10 && random.nextBoolean()) {
                        ByteBuffer.wrap(noise).putInt(2, random.nextInt(5000));
                    }
                    hostile.send(noise);
                } catch (IOException e) {
                    assertThat(e).hasMessageMatching(".*(reset|Broken pipe).*");
                }
                byte[] command = FakeInstance.command(10 + i % 100, i);
                assertThat(wellBehaved.ask(command)).containsExactly(FakeInstance.answer(command));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void guestsBeyondTheLimitAreHungUpOn(Transport transport) throws Exception {
        listener.apply(new Settings(false, 3, Duration.ofSeconds(5)));
        URI endpoint = serve(transport, FakeInstance.direct());
        byte[] command = FakeInstance.command(14, 7);
        List<Guest> guests = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Guest guest = new Guest(endpoint);
            guests.add(guest);
            assertThat(guest.ask(command)).containsExactly(FakeInstance.answer(command));
        }
        try (Guest tooMany = new Guest(endpoint)) {
            assertThat(tooMany.rest()).isEmpty();
        }
        guests.remove(0).close();
        await(() -> {
            try (Guest next = new Guest(endpoint)) {
                return next.ask(command).length > 0;
            } catch (IOException stillFull) {
                return false;
            }
        });
        for (Guest guest : guests) {
            assertThat(guest.ask(command)).containsExactly(FakeInstance.answer(command));
            guest.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void closingDropsTheGuestsAndFreesTheAddress(Transport transport) throws Exception {
        FakeInstance holding = FakeInstance.holding();
        URI endpoint = serve(transport, holding);
        byte[] command = FakeInstance.command(14, 7);
        for (int i = 0; i < 20; i++) {
            try (Guest guest = new Guest(endpoint)) {
                guest.send(command);
                await(() -> !holding.held.isEmpty());
                listener.close(endpoint);
                assertThat(guest.rest()).isEmpty();
                holding.held.remove().complete();
                assertThatThrownBy(() -> new Guest(endpoint)).isInstanceOf(IOException.class);
                listener.open(endpoint, holding);
            }
        }
        listener.close(endpoint);
        listener.close(endpoint);
    }

    @ParameterizedTest
    @EnumSource
    void anInstanceThatBreaksItsPromiseStillGetsItsGuestAnAnswer(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.holding();
        URI endpoint = serve(transport, instance);
        try (Guest guest = new Guest(endpoint)) {
            guest.send(FakeInstance.command(14, 7));
            await(() -> !instance.held.isEmpty());
            instance.held.remove().response().completeExceptionally(new IllegalStateException("on purpose"));
            assertThat(guest.receive()).asHexString().isEqualToIgnoringCase("00c40000000a00000009");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anEndpointIsServedOnce(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.direct());
        assertThatThrownBy(() -> listener.open(endpoint, FakeInstance.direct()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("already served");
        try (Guest guest = new Guest(endpoint)) {
            assertThat(guest.ask(FakeInstance.command(10, 1))).hasSize(10);
        }
    }

    /** An instance may run a command on the thread that serves the sockets; a fault in it must not end in silence for all. */
    @ParameterizedTest
    @EnumSource
    void aTpmThatDoesNotReturnHoldsUpNoOtherGuest(Transport transport) throws Exception {
        CountDownLatch returns = new CountDownLatch(3);
        Semaphore entered = new Semaphore(0);
        FakeInstance stuck = FakeInstance.on(stuck(entered, returns));
        URI well = serve(transport, FakeInstance.direct());
        URI faulty = Guest.freeTcp();
        listener.open(faulty, stuck);
        byte[] command = FakeInstance.command(30, 5);
        List<Guest> victims = new ArrayList<>();
        try (Guest guest = new Guest(well)) {
            for (int i = 0; i < 3; i++) {
                Guest victim = new Guest(faulty);
                victims.add(victim);
                victim.send(command);
                entered.acquire();
                for (int j = 0; j < 100; j++) {
                    byte[] other = FakeInstance.command(14 + j, j);
                    assertThat(guest.ask(other)).containsExactly(FakeInstance.answer(other));
                }
                returns.countDown();
            }
            for (Guest victim : victims) {
                assertThat(victim.receive()).containsExactly(FakeInstance.answer(command));
                assertThat(victim.ask(command)).containsExactly(FakeInstance.answer(command));
                victim.close();
            }
            assertThat(guest.ask(command)).containsExactly(FakeInstance.answer(command));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCommandThatLastsRunsWhereItArrivesAndHoldsUpNoOtherGuest(Transport transport) throws Exception {
        CountDownLatch returns = new CountDownLatch(1);
        Semaphore entered = new Semaphore(0);
        FakeInstance slow = FakeInstance.lasting(stuck(entered, returns));
        FakeInstance other = FakeInstance.lasting(Runnable::run);
        URI first = serve(transport, slow);
        URI second = Guest.freeTcp();
        listener.open(second, other);
        byte[] command = FakeInstance.command(30, 5);
        try (Guest waits = new Guest(first);
                Guest guest = new Guest(second)) {
            waits.send(command);
            entered.acquire();
            assertThat(slow.executedHere).hasValue(1);
            for (int i = 0; i < 100; i++) {
                byte[] next = FakeInstance.command(14 + i, i);
                assertThat(guest.ask(next)).containsExactly(FakeInstance.answer(next));
            }
            assertThat(other.executedHere).as("one thread is away already").hasValue(0);

            returns.countDown();
            assertThat(waits.receive()).containsExactly(FakeInstance.answer(command));
            while (other.executedHere.get() < 10) {
                assertThat(guest.ask(command)).containsExactly(FakeInstance.answer(command));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void guestsAreServedHoweverOftenTheThreadsChangePlaces(Transport transport) throws Exception {
        FakeInstance instance = FakeInstance.lasting(Runnable::run);
        URI endpoint = serve(transport, instance);
        List<Future<?>> asking = new ArrayList<>();
        for (int guests = 0; guests < 2; guests++) {
            asking.add(pool.submit(() -> {
                try (Guest guest = new Guest(endpoint)) {
                    for (int i = 0; i < 20_000; i++) {
                        byte[] command = FakeInstance.command(14 + i % 50, i);
                        assertThat(guest.ask(command)).containsExactly(FakeInstance.answer(command));
                    }
                }
                return null;
            }));
        }
        for (Future<?> guest : asking) {
            guest.get();
        }
        assertThat(instance.executedHere.get()).as("on the listener's threads").isGreaterThan(100);
    }

    @ParameterizedTest
    @EnumSource
    void theListenerEndsAlsoWhileATpmDoesNotReturn(Transport transport) throws Exception {
        CountDownLatch returns = new CountDownLatch(1);
        Semaphore entered = new Semaphore(0);
        URI endpoint = serve(transport, FakeInstance.on(stuck(entered, returns)));
        try (Guest guest = new Guest(endpoint)) {
            guest.send(FakeInstance.command(14, 7));
            entered.acquire();
            listener.deactivate();
            assertThat(guest.rest()).isEmpty();
            assertThatThrownBy(() -> new Guest(endpoint)).isInstanceOf(IOException.class);
        } finally {
            returns.countDown();
        }
    }

    /** Carries out nothing until it may return. */
    private static Executor stuck(Semaphore entered, CountDownLatch returns) {
        return task -> {
            entered.release();
            try {
                returns.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            task.run();
        };
    }

    /** A guest that is cut off mid-answer sees the end of the stream, never a torn answer followed by another. */
    @ParameterizedTest
    @EnumSource
    void aGuestIsNeverLeftWaitingWhenTheListenerGoes(Transport transport) throws Exception {
        URI endpoint = serve(transport, FakeInstance.holding());
        try (Guest guest = new Guest(endpoint)) {
            guest.send(FakeInstance.command(14, 7));
            Future<?> closing = pool.submit(listener::deactivate);
            assertThatThrownBy(guest::receive).isInstanceOfAny(EOFException.class, IOException.class);
            closing.get(10, TimeUnit.SECONDS);
        }
    }

    private static void awaitStandstill(FakeInstance instance) throws InterruptedException {
        for (int before = -1; instance.executed.get() != before || before == 0; ) {
            before = instance.executed.get();
            Thread.sleep(200);
        }
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(2);
        }
    }
}
