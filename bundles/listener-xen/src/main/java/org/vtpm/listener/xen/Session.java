package org.vtpm.listener.xen;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.xen.XenDevice;
import org.vtpm.listener.xen.host.GrantPages;
import org.vtpm.listener.xen.ring.TpmRing;
import org.vtpm.listener.xen.xenstore.XenStore;
import org.vtpm.listener.xen.xenstore.XenStoreException;

/**
 * Serves the devices of a Xen host while its connection to XenStore lasts. One thread looks at XenStore and decides; news
 * of watches only say where to look, so many of them are one look, and each device has its turn however often a guest
 * writes.
 */
final class Session implements XenStore.Listener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);

    private static final String BACKEND_TOKEN = "backend";
    private static final String RELEASE_TOKEN = "release";
    private static final String FRONTEND_TOKEN = "frontend:";
    private static final String RELEASE_EVENT = "@releaseDomain";
    private static final String ERRORS = "/local/domain/0/error/backend/vtpm";

    /** How long XenStore may take to answer. */
    private static final Duration STORE_PATIENCE = Duration.ofSeconds(10);

    /** The toolstack waits 10 s for a device before it gives its guest up. */
    private static final Duration HURRY = Duration.ofSeconds(6);

    /** How long the end of the listener waits for commands under way, of all guests together. */
    private static final Duration DRAIN = Duration.ofSeconds(5);

    /** Looks at one device: far more than any that means no harm has need of. */
    private static final int LOOKS_PER_SECOND = 5;

    private static final int LOOKS_AT_ONCE = 30;

    private static final int MAX_REPORT = 1000;

    /** Work for the session's thread. */
    @FunctionalInterface
    private interface Task {
        void run() throws IOException;
    }

    private final XenHost.Access host;
    private final XenStore store;
    private final EventLoop loop;
    private final XenEndpoints endpoints;
    private final Stubdoms stubdoms;
    private final InstancePower power;
    private final TpmDesk desk;
    private final Settings settings;
    private final Duration show;
    /** Devices whose page an earlier session left with no request under way, although XenStore may not say so. */
    private final Set<DeviceId> drained;

    /** Used by the session's thread only. */
    private final Map<DeviceId, Guest> guests = new TreeMap<>();

    private final ConcurrentMap<DeviceId, Guest> visible = new ConcurrentHashMap<>();

    // All below: under this object's lock.
    private final Set<DeviceId> dirty = new LinkedHashSet<>();
    private final Deque<Task> tasks = new ArrayDeque<>();
    private boolean scan;
    private boolean lookAtAll;
    private boolean closing;
    private @Nullable IOException failure;

    /**
     * @param work where the manager's work is done
     * @param show how long a device says that it waits, at least, so that the toolstack sees it
     * @param drained devices that the session before this one left in order; this one does the same for the next
     */
    Session(
            XenHost.Access host,
            XenEndpoints endpoints,
            Stubdoms stubdoms,
            InstancePower power,
            Executor work,
            Settings settings,
            Duration show,
            Set<DeviceId> drained) {
        this.show = show;
        this.drained = drained;
        this.host = host;
        this.endpoints = endpoints;
        this.stubdoms = stubdoms;
        this.power = power;
        this.settings = settings;
        desk = new TpmDesk(power, work, task -> submit(task::run));
        store = new XenStore(host.store(), this, STORE_PATIENCE);
        loop = new EventLoop(host.events(), this::lost);
    }

    List<XenDevice> devices() {
        return new TreeMap<>(visible)
                .values().stream().flatMap(guest -> guest.view().stream()).toList();
    }

    @Override
    public synchronized void changed(String path, String token) {
        if (token.equals(RELEASE_TOKEN)) {
            lookAtAll = true;
        } else if (token.startsWith(FRONTEND_TOKEN)) {
            DeviceId.parse(token.substring(FRONTEND_TOKEN.length())).ifPresent(dirty::add);
        } else {
            Optional<DeviceId> device = beneathBackends(path);
            device.ifPresent(dirty::add);
            scan |= device.isEmpty();
        }
        notifyAll();
    }

    @Override
    public synchronized void lost(IOException why) {
        if (failure == null) {
            failure = why;
        }
        notifyAll();
    }

    /** Ends {@link #serve}; from any thread. */
    synchronized void stop() {
        closing = true;
        notifyAll();
    }

    /**
     * Serves until it is stopped.
     *
     * @throws IOException if XenStore or the events are lost
     */
    void serve() throws IOException, InterruptedException {
        store.watch(DeviceId.BACKENDS, BACKEND_TOKEN);
        store.watch(RELEASE_EVENT, RELEASE_TOKEN);
        store.remove(ERRORS);
        Collection<DeviceId> present = list();
        power.offAllBut(present);
        // Those that serve their guests already come before others that name the same TPM.
        for (DeviceId id : present) {
            if (store.read(id.backend() + "/state").orElse("").equals(XenbusState.CONNECTED.value())) {
                look(id);
            }
        }
        present.forEach(this::mark);
        while (step()) {}
    }

    /**
     * Lets go of all guests, which notice nothing but that no command is answered: their devices stay as they are in
     * XenStore, for the next session to take up.
     */
    @Override
    public void close() {
        loop.close();
        long deadline = System.nanoTime() + DRAIN.toNanos();
        for (Guest guest : guests.values()) {
            guest.letGo(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        }
        store.close();
        host.events().close();
        host.grants().close();
    }

    private boolean step() throws IOException, InterruptedException {
        List<Task> todo;
        List<DeviceId> candidates;
        synchronized (this) {
            for (long patience = patience(); patience > 0 && idle(); patience = patience()) {
                wait(patience);
            }
            if (failure != null) {
                throw failure;
            }
            if (closing) {
                return false;
            }
            todo = List.copyOf(tasks);
            tasks.clear();
        }
        for (Task task : todo) {
            task.run();
        }
        scanIfNeeded();
        synchronized (this) {
            candidates = List.copyOf(dirty);
        }
        for (DeviceId id : candidates) {
            Guest guest = guests.computeIfAbsent(id, Guest::new);
            if (guest.looks.take()) {
                unmark(id);
                look(id);
            }
        }
        for (Guest guest : List.copyOf(guests.values())) {
            guest.onTime();
        }
        return true;
    }

    /** Under the lock. */
    private boolean idle() {
        return !closing && failure == null && tasks.isEmpty() && !scan && !lookAtAll;
    }

    /** Milliseconds until there is something to do; under the lock. */
    private long patience() {
        long now = System.nanoTime();
        long soonest = TimeUnit.MINUTES.toNanos(1);
        for (DeviceId id : dirty) {
            Guest guest = guests.get(id);
            soonest = Math.min(soonest, guest == null ? 0 : guest.looks.pause(now));
        }
        for (Guest guest : guests.values()) {
            soonest = Math.min(soonest, Math.min(left(guest.hurryAt, now), left(guest.pausedUntil, now)));
        }
        return soonest == 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(soonest) + 1;
    }

    private static long left(OptionalLong time, long now) {
        return time.isPresent() ? Math.max(0, time.getAsLong() - now) : Long.MAX_VALUE;
    }

    private void scanIfNeeded() throws IOException {
        boolean list;
        boolean all;
        synchronized (this) {
            list = scan;
            all = lookAtAll || scan;
            scan = false;
            lookAtAll = false;
        }
        if (list) {
            list().forEach(this::mark);
        }
        if (all) {
            guests.keySet().forEach(this::mark);
        }
    }

    private Set<DeviceId> list() throws IOException {
        Set<DeviceId> found = new LinkedHashSet<>();
        for (String domain : store.list(DeviceId.BACKENDS)) {
            for (String device : store.list(DeviceId.BACKENDS + "/" + domain)) {
                DeviceId.parse(domain + "/" + device).ifPresent(found::add);
            }
        }
        return found;
    }

    private synchronized void mark(DeviceId id) {
        dirty.add(id);
    }

    private synchronized void unmark(DeviceId id) {
        dirty.remove(id);
    }

    private synchronized void submit(Task task) {
        tasks.add(task);
        notifyAll();
    }

    /** Looks at a device, and does what is to be done. */
    private void look(DeviceId id) throws IOException {
        Guest guest = guests.computeIfAbsent(id, Guest::new);
        guest.run(guest::look);
    }

    private static Optional<DeviceId> beneathBackends(String path) {
        String prefix = DeviceId.BACKENDS + "/";
        if (!path.startsWith(prefix)) {
            return Optional.empty();
        }
        String[] parts = path.substring(prefix.length()).split("/", 3);
        return parts.length < 2 ? Optional.empty() : DeviceId.parse(parts[0] + "/" + parts[1]);
    }

    /** Powers of two: a guest could fill the log. */
    private static boolean worthALine(long count) {
        return Long.bitCount(count) == 1;
    }

    /** One device and what it holds. */
    private final class Guest implements DeviceEffects {
        private final DeviceId id;
        private final Device device = new Device(this);
        private final Budget looks = new Budget(LOOKS_PER_SECOND, LOOKS_AT_ONCE, System::nanoTime);
        private OptionalLong hurryAt = OptionalLong.empty();
        private OptionalLong pausedUntil = OptionalLong.empty();
        private boolean watched;
        private boolean inTrouble;
        private long reports;
        private long connections;
        private volatile String name = "";
        private volatile @Nullable TpmFamily family;
        private volatile @Nullable GuestLink link;
        private volatile @Nullable String problem;
        private volatile Device.Phase phase = Device.Phase.NEW;
        private volatile Nodes nodes = Nodes.ABSENT;

        Guest(DeviceId id) {
            this.id = id;
        }

        /** Does work on the device. What XenStore refuses is tried again later, and does no harm to others. */
        void run(Task task) throws IOException {
            visible.put(id, this);
            try {
                task.run();
                inTrouble = false;
            } catch (XenStoreException e) {
                if (!inTrouble) {
                    LOG.warn("{} is looked at again later: {}", id, e.getMessage());
                }
                inTrouble = true;
                looks.exhaust();
                mark(id);
            } finally {
                phase = device.phase();
                nodes = device.nodes();
                if (phase == Device.Phase.GONE) {
                    visible.remove(id);
                }
            }
        }

        void look() throws IOException {
            boolean alive = store.introduced(id.domain());
            Nodes toolstack = store.transact(access -> {
                name = NodeReader.name(access, id);
                return NodeReader.backend(access, id, alive);
            });
            Nodes now = NodeReader.frontend(store, id, toolstack);
            if (now.present() && !watched) {
                // There is news of it at once, and then another look.
                store.watch(id.frontend() + "/state", FRONTEND_TOKEN + id.domain() + "/" + id.device());
                watched = true;
            }
            device.seen(now);
        }

        /** Does what is due. */
        void onTime() throws IOException {
            long now = System.nanoTime();
            if (left(hurryAt, now) == 0) {
                hurryAt = OptionalLong.empty();
                run(device::hurry);
            }
            if (left(pausedUntil, now) == 0) {
                pausedUntil = OptionalLong.empty();
                device.paused();
                mark(id);
            }
        }

        Optional<XenDevice> view() {
            Nodes now = nodes;
            GuestLink connected = link;
            return now.present()
                    ? Optional.of(new XenDevice(
                            id.domain(),
                            id.device(),
                            name,
                            now.uuid(),
                            settings.isStubdom(now.uuid()),
                            phase.name().toLowerCase(Locale.ROOT),
                            Integer.parseInt(now.backend().value()),
                            Integer.parseInt(now.frontend().value()),
                            number(
                                    connected,
                                    now.link() == null ? 0 : now.link().ringRef()),
                            number(
                                    connected,
                                    now.link() == null ? 0 : now.link().port()),
                            connected != null && connected.busy(),
                            connected == null ? XenDevice.Counters.NONE : connected.counters(),
                            problem(now)))
                    : Optional.empty();
        }

        private @Nullable String problem(Nodes now) {
            String reported = problem;
            return reported == null && settings.isStubdom(now.uuid()) && !stubdoms.served()
                    ? Stubdoms.UNSERVED
                    : reported;
        }

        private static OptionalLong number(@Nullable GuestLink connected, int number) {
            return connected == null ? OptionalLong.empty() : OptionalLong.of(Integer.toUnsignedLong(number));
        }

        /** Leaves the guest as it is, for the next session. */
        void letGo(Duration patience) {
            GuestLink connected = link;
            if (connected == null) {
                return;
            }
            try {
                if (connected.drain(patience)) {
                    drained.add(id);
                    set("ready", "0");
                } else {
                    LOG.warn("{}: its command is not answered, and will be answered with a failure", id);
                }
            } catch (IOException e) {
                LOG.debug("Without XenStore {} cannot be left in order", id, e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            disconnect(false);
        }

        @Override
        public void claim(Claim claim) {
            boolean waits = desk.claim(id, claim, name, this::lookAt, this::answered);
            hurryAt = OptionalLong.of(System.nanoTime() + (waits ? 0 : HURRY.toNanos()));
        }

        private void lookAt(DeviceId other) {
            Guest holder = guests.get(other);
            if (holder == null) {
                return;
            }
            try {
                holder.run(holder::look);
            } catch (IOException e) {
                lost(e);
            }
        }

        /** In its own turn, because it may be called while the device is in the midst of something. */
        private void answered(TpmDesk.Outcome outcome) {
            submit(() -> run(() -> {
                hurryAt = OptionalLong.empty();
                if (outcome instanceof TpmDesk.Granted granted) {
                    family = granted.family();
                    device.granted();
                } else if (outcome instanceof TpmDesk.Denied denied) {
                    device.denied(denied.reason());
                }
                mark(id);
            }));
        }

        @Override
        public void withdraw(UUID tpm) {
            desk.withdraw(id, tpm);
        }

        @Override
        public void release(UUID tpm) {
            desk.release(
                    id,
                    tpm,
                    () -> submit(() -> run(() -> {
                        device.released();
                        mark(id);
                    })));
        }

        @Override
        public void announce() throws IOException {
            set("feature-protocol-v2", "1");
        }

        @Override
        public void pause() {
            pausedUntil = OptionalLong.of(System.nanoTime() + show.toNanos());
        }

        @Override
        public void state(XenbusState state) throws IOException {
            LOG.debug("{}: state {}", id, state);
            set("state", state.value());
        }

        /** Writing would make anew what the toolstack has removed. */
        private boolean set(String node, String value) throws IOException {
            return store.transact(access -> {
                boolean there = access.read(id.backend() + "/frontend-id").isPresent();
                if (there) {
                    access.write(id.backend() + "/" + node, value);
                }
                return there;
            });
        }

        @Override
        public void connect(Nodes.Link wanted, boolean interrupted) throws IOException, LinkException {
            TpmFamily spoken = family;
            UUID tpm = device.tpm();
            if (spoken == null || tpm == null) {
                throw new IllegalStateException("connected without a TPM");
            }
            GrantPages.Page page;
            int port;
            try {
                page = host.grants().map(id.domain(), wanted.ringRef());
            } catch (IOException e) {
                throw new LinkException(String.valueOf(e.getMessage()), e);
            }
            try {
                port = host.events().bind(id.domain(), wanted.port());
            } catch (IOException e) {
                page.close();
                throw new LinkException(String.valueOf(e.getMessage()), e);
            }
            boolean stubdom = settings.isStubdom(tpm);
            GuestLink connected = new GuestLink(
                    id,
                    port,
                    page,
                    stubdom
                            ? TpmRing.ofStubdom(page, settings.maxLocality())
                            : new TpmRing(page, spoken, settings.maxLocality()),
                    spoken,
                    host.events(),
                    stubdom ? () -> Optional.of((locality, command) -> stubdoms.execute(tpm, command)) : instance(tpm),
                    new Budget(settings.eventsPerSecond(), settings.eventsPerSecond(), System::nanoTime));
            link = connected;
            try {
                set("ready", "1");
            } catch (IOException e) {
                disconnect(false);
                throw e;
            }
            boolean leftInOrder = drained.remove(id);
            loop.add(connected);
            connected.start(interrupted && !leftInOrder);
            connections++;
            if (worthALine(connections)) {
                LOG.info(
                        "Guest {} ({}) is connected with {} {} ({} times)",
                        name,
                        id,
                        stubdom ? "what keeps the key of the vTPM that it is," : "its vTPM",
                        tpm,
                        connections);
            }
        }

        /** The instance that serves the guest, while it runs. */
        private Supplier<Optional<Target>> instance(UUID tpm) {
            return () -> endpoints
                    .channel(id)
                    .filter(channel -> channel.instance().equals(tpm))
                    .map(channel -> channel::execute);
        }

        @Override
        public void disconnect(boolean unplugged) {
            GuestLink connected = link;
            if (connected != null) {
                link = null;
                loop.remove(connected);
                if (unplugged) {
                    connected.abort();
                }
                connected.close();
                if (worthALine(connections)) {
                    LOG.info("Guest {} ({}) is disconnected", name, id);
                }
            }
        }

        @Override
        public void report(String reason) throws IOException {
            problem = reason;
            reports++;
            if (worthALine(reports)) {
                LOG.error("The TPM device {} of guest {} does not work: {} ({} times)", id, name, reason, reports);
            }
            String text = "19 " + reason;
            store.write(id.errors() + "/error", text.substring(0, Math.min(text.length(), MAX_REPORT)));
        }

        @Override
        public void clearReport() throws IOException {
            problem = null;
            store.remove(id.errors());
        }

        @Override
        public void forget() {
            guests.remove(id);
            if (watched) {
                watched = false;
                try {
                    store.unwatch(id.frontend() + "/state", FRONTEND_TOKEN + id.domain() + "/" + id.device());
                } catch (IOException e) {
                    LOG.debug("Unwatching {}", id, e);
                }
            }
        }
    }
}
