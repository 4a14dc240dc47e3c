package org.vtpm.listener.xen;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The state machine against a toolstack and a guest that do everything there is, in any order. */
class DeviceTest {
    private static final int SEQUENCES = 100_000;
    private static final int STEPS = 100;

    private static final UUID TPM = UUID.fromString("ac0a5b9e-cbe2-4c07-b43b-1d69e46fb839");
    private static final UUID OTHER = UUID.fromString("11111111-2222-3333-4444-555555555555");

    /** XenStore, toolstack, guest and manager in one; it holds the device to the rules that always hold. */
    private static final class World implements DeviceEffects {
        Device device = new Device(this);
        final List<String> journal = new ArrayList<>();

        boolean present;
        boolean alive;
        boolean online;
        boolean incoming;
        UUID uuid = TPM;
        XenbusState backend = XenbusState.UNKNOWN;
        String ready = "";
        XenbusState frontend = XenbusState.UNKNOWN;
        Nodes.Link link;
        String linkFault;
        boolean linkWorks = true;

        boolean claimed;
        boolean held;
        boolean releasing;
        boolean announced;
        boolean pausing;
        boolean connected;
        int connections;
        boolean forgotten;

        void create() {
            present = true;
            online = true;
            backend = XenbusState.INITIALISING;
            frontend = XenbusState.INITIALISING;
            ready = "";
            link = null;
            announced = false;
            forgotten = false;
        }

        /** Whoever was forgotten is known anew when it comes back. */
        void renew() {
            if (forgotten) {
                forgotten = false;
                pausing = false;
                device = new Device(this);
            }
        }

        void guestConnects(int ringRef) throws Exception {
            link = new Nodes.Link(ringRef, 8);
            linkFault = null;
            frontend = XenbusState.INITIALISED;
            see();
        }

        void see() throws Exception {
            device.seen(new Nodes(
                    present,
                    alive,
                    online,
                    present ? uuid : null,
                    null,
                    present ? backend : XenbusState.UNKNOWN,
                    ready,
                    incoming,
                    frontend,
                    link,
                    linkFault));
        }

        void grant() throws Exception {
            claimed = false;
            held = true;
            device.granted();
            see();
        }

        void pauseEnds() throws Exception {
            pausing = false;
            device.paused();
            see();
        }

        void deny() throws Exception {
            claimed = false;
            device.denied("there is none");
            see();
        }

        void release() throws Exception {
            releasing = false;
            device.released();
            see();
        }

        @Override
        public void claim(Claim claim) {
            rule(!claimed && !held && !releasing, "it claims a TPM while it has one");
            rule(present && online, "it claims a TPM that nobody wants");
            journal.add("claim" + (claim.resumed() ? " resumed" : "") + (claim.incoming() ? " incoming" : ""));
            claimed = true;
        }

        @Override
        public void withdraw(UUID tpm) {
            rule(claimed, "it withdraws what it did not claim");
        }

        @Override
        public void release(UUID tpm) {
            rule(held && !releasing, "it releases what it does not have");
            rule(!connected, "it releases a TPM that serves its guest");
            journal.add("release");
            held = false;
            releasing = true;
        }

        @Override
        public void announce() {
            announced = true;
        }

        @Override
        public void pause() {
            pausing = true;
        }

        @Override
        public void state(XenbusState state) {
            rule(state != XenbusState.CONNECTED || (connected && announced), "it says connected and is not");
            rule(state != XenbusState.INIT_WAIT || announced, "it waits without telling its protocol");
            rule(state != XenbusState.CLOSED || !connected, "it says closed and holds the guest's page");
            rule(state != backend, "it says again what it said");
            journal.add("state " + state.value());
            if (present) {
                backend = state;
            }
        }

        @Override
        public void connect(Nodes.Link wanted, boolean interrupted) throws LinkException {
            rule(held, "it serves a guest without a TPM");
            rule(!connected, "it connects twice");
            rule(!pausing, "it connects before the toolstack can have seen that it waits");
            rule(
                    frontend == XenbusState.INITIALISED || frontend == XenbusState.CONNECTED,
                    "it connects a guest that is not ready");
            rule(wanted.equals(link) && online && present, "it connects what nobody wants");
            if (!linkWorks) {
                throw new LinkException("no such grant", new Exception());
            }
            journal.add("connect " + wanted.ringRef() + (interrupted ? " interrupted" : ""));
            connected = true;
            connections++;
        }

        @Override
        public void disconnect(boolean unplugged) {
            rule(connected, "it disconnects what is not connected");
            rule(!unplugged || (alive && !online && present), "it answers a guest that does not wait");
            journal.add("disconnect");
            connected = false;
        }

        @Override
        public void report(String reason) {
            journal.add("report " + reason);
        }

        @Override
        public void clearReport() {
            journal.add("clear");
        }

        @Override
        public void forget() {
            rule(!connected && !held && !claimed && !releasing, "it is forgotten and holds something");
            rule(!forgotten, "it is forgotten twice");
            forgotten = true;
        }

        private void rule(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise + ": " + journal);
            }
        }

        /** What must be so once XenStore was looked at and the manager owes nothing. */
        void settled() {
            boolean dead = !present || !online || (!alive && device.phase() == Device.Phase.LEFT);
            if (dead) {
                rule(!connected && !held, "it holds what is not wanted");
                rule(!present || backend == XenbusState.CLOSED, "it does not say that it is closed");
            } else if (held) {
                boolean wants = frontend == XenbusState.INITIALISED || frontend == XenbusState.CONNECTED;
                boolean odd = frontend == XenbusState.RECONFIGURING || frontend == XenbusState.RECONFIGURED;
                if (wants
                        && link != null
                        && linkFault == null
                        && linkWorks
                        && !pausing
                        && backend != XenbusState.CLOSED) {
                    rule(connected && backend == XenbusState.CONNECTED, "a guest that is ready is not served");
                }
                if (!wants && !odd) {
                    rule(!connected, "a guest that is not there is served");
                    rule(
                            backend == (frontend == XenbusState.CLOSING ? XenbusState.CLOSING : XenbusState.INIT_WAIT),
                            "a guest that closed cannot come back");
                }
            }
        }
    }

    private static World connected() throws Exception {
        World world = new World();
        world.create();
        world.see();
        world.alive = true;
        world.grant();
        world.pauseEnds();
        world.guestConnects(8);
        assertThat(world.connected).isTrue();
        world.journal.clear();
        return world;
    }

    @Test
    void aGuestComesAndGoes() throws Exception {
        World world = new World();
        world.create();
        world.see();
        assertThat(world.journal).containsExactly("claim");
        world.grant();
        world.alive = true;
        world.guestConnects(8);
        assertThat(world.journal).containsExactly("claim", "state 2");
        world.pauseEnds();
        world.frontend = XenbusState.CONNECTED;
        world.see();
        assertThat(world.journal).containsExactly("claim", "state 2", "connect 8", "state 4");
        world.journal.clear();
        world.online = false;
        world.backend = XenbusState.CLOSING;
        world.see();
        assertThat(world.journal).containsExactly("disconnect", "state 6", "release");
        world.present = false;
        world.see();
        world.release();
        assertThat(world.forgotten).isTrue();
    }

    @Test
    void aGuestThatClosesConnectsAgainWithTheSameTpm() throws Exception {
        World world = connected();
        world.frontend = XenbusState.CLOSING;
        world.see();
        world.frontend = XenbusState.CLOSED;
        world.see();
        world.guestConnects(9);
        assertThat(world.journal).containsExactly("disconnect", "state 5", "state 2", "connect 9", "state 4");
    }

    @Test
    void aDriverThatIsStartedAnewWithoutAWordIsConnectedAnew() throws Exception {
        World world = connected();
        world.guestConnects(9);
        assertThat(world.journal).containsExactly("disconnect", "connect 9");
        world.see();
        assertThat(world.journal).hasSize(2);
    }

    @Test
    void aGuestWhoseDomainIsGoneGivesItsTpmBack() throws Exception {
        World world = connected();
        world.alive = false;
        world.see();
        assertThat(world.journal).containsExactly("disconnect", "state 6", "release");
    }

    @Test
    void aGuestThatRemovesItsOwnNodesKeepsItsTpm() throws Exception {
        World world = connected();
        world.frontend = XenbusState.UNKNOWN;
        world.link = null;
        world.see();
        assertThat(world.journal).containsExactly("disconnect", "state 2");
    }

    @Test
    void aPageThatCannotBeMappedIsReportedOnceAndTriedAgainAfterClosing() throws Exception {
        World world = new World();
        world.create();
        world.alive = true;
        world.see();
        world.grant();
        world.pauseEnds();
        world.linkWorks = false;
        world.guestConnects(8);
        world.see();
        world.linkWorks = true;
        world.see();
        world.frontend = XenbusState.CLOSED;
        world.see();
        world.guestConnects(8);
        assertThat(world.journal)
                .containsExactly(
                        "claim",
                        "state 2",
                        "report no such grant",
                        "state 6",
                        "state 2",
                        "connect 8",
                        "state 4",
                        "clear");
    }

    @Test
    void aTpmThatIsNotToBeHadIsReported() throws Exception {
        World world = new World();
        world.create();
        world.see();
        world.deny();
        assertThat(world.journal).containsExactly("claim", "report there is none", "state 6");
        world.online = false;
        world.see();
        world.present = false;
        world.see();
        assertThat(world.journal).endsWith("clear");
        assertThat(world.forgotten).isTrue();
    }

    @Test
    void theToolstackDoesNotWaitForATpmThatTakesLong() throws Exception {
        World world = new World();
        world.create();
        world.see();
        world.device.hurry();
        world.device.hurry();
        world.pauseEnds();
        world.guestConnects(8);
        world.grant();
        assertThat(world.journal).containsExactly("claim", "state 2", "connect 8", "state 4");
    }

    @Test
    void aRestartedBackendTakesUpConnectedGuests() throws Exception {
        World world = new World();
        world.create();
        world.alive = true;
        world.backend = XenbusState.CONNECTED;
        world.frontend = XenbusState.CONNECTED;
        world.link = new Nodes.Link(8, 8);
        world.see();
        world.device.hurry();
        world.grant();
        assertThat(world.journal).containsExactly("claim resumed", "connect 8 interrupted");
    }

    @Test
    void whatAnOrderlyBackendLeftIsNotInterrupted() throws Exception {
        World world = new World();
        world.create();
        world.alive = true;
        world.backend = XenbusState.CONNECTED;
        world.ready = "0";
        world.frontend = XenbusState.CONNECTED;
        world.link = new Nodes.Link(8, 8);
        world.see();
        world.grant();
        assertThat(world.journal).containsExactly("claim resumed", "connect 8");
    }

    @Test
    void aDeviceThatWasReplacedUnseenGetsItsOwnTpm() throws Exception {
        World world = connected();
        world.uuid = OTHER;
        world.create();
        world.see();
        assertThat(world.journal).containsExactly("disconnect", "release");
        world.release();
        assertThat(world.journal).containsExactly("disconnect", "release", "claim");
        assertThat(world.device.tpm()).isEqualTo(OTHER);
    }

    @Test
    void nothingThatAGuestDoesPowersItsTpmOffOrOn() throws Exception {
        for (int seed = 0; seed < SEQUENCES / 10; seed++) {
            Random random = new Random(seed);
            World world = connected();
            for (int step = 0; step < STEPS; step++) {
                guestStep(world, random);
                if (random.nextBoolean()) {
                    world.see();
                    world.settled();
                }
            }
            assertThat(world.journal).doesNotContain("release").doesNotContain("claim");
            assertThat(world.held).isTrue();
        }
    }

    @Test
    void aHundredThousandSequencesKeepTheRules() {
        int connections = 0;
        for (int seed = 0; seed < SEQUENCES; seed++) {
            World world = new World();
            try {
                connections += run(world, new Random(seed));
            } catch (Exception | AssertionError e) {
                throw new AssertionError("sequence " + seed + ": " + world.journal, e);
            }
        }
        assertThat(connections).isGreaterThan(SEQUENCES / 2);
    }

    private static int run(World world, Random random) throws Exception {
        for (int step = 0; step < STEPS; step++) {
            switch (random.nextInt(16)) {
                case 0, 1, 2, 3, 4 -> guestStep(world, random);
                case 5 -> {
                    if (!world.present) {
                        world.uuid = random.nextBoolean() ? TPM : OTHER;
                        world.create();
                        if (world.device.phase() == Device.Phase.NEW && random.nextBoolean()) {
                            // As an earlier backend left it.
                            world.backend = XenbusState.of(String.valueOf(random.nextInt(9)));
                            world.ready = random.nextBoolean() ? "0" : "1";
                            world.online = random.nextInt(4) > 0;
                        }
                    }
                }
                case 6 -> world.alive = random.nextInt(16) > 0;
                case 7 -> {
                    if (random.nextInt(8) == 0) {
                        world.online = false;
                        world.backend = XenbusState.CLOSING;
                    }
                }
                case 8 -> {
                    if (random.nextInt(8) == 0) {
                        world.present = false;
                        world.online = false;
                    }
                }
                case 9 -> world.device.hurry();
                case 10, 11 -> owed(world, random);
                case 12 -> {
                    if (world.pausing) {
                        world.pauseEnds();
                    }
                }
                default -> world.see();
            }
            world.renew();
        }
        world.see();
        world.renew();
        while (world.claimed || world.releasing) {
            owed(world, random);
            world.renew();
            world.see();
        }
        world.settled();
        return world.connections;
    }

    /** The manager does what it owes. */
    private static void owed(World world, Random random) throws Exception {
        if (world.claimed) {
            if (random.nextInt(4) == 0) {
                world.deny();
            } else {
                world.grant();
            }
        } else if (world.releasing) {
            world.release();
        }
    }

    private static void guestStep(World world, Random random) {
        switch (random.nextInt(4)) {
            case 0, 1 -> world.frontend = XenbusState.of(String.valueOf(random.nextInt(10)));
            case 2 -> {
                world.link = random.nextInt(8) == 0 ? null : new Nodes.Link(random.nextInt(3), 8);
                world.linkFault = random.nextInt(8) == 0 ? "the frontend does not speak version 2" : null;
                world.linkWorks = random.nextInt(4) > 0;
            }
            default -> {
                if (world.link == null) {
                    world.link = new Nodes.Link(8, 8);
                }
                world.frontend = XenbusState.INITIALISED;
            }
        }
    }
}
