package org.vtpm.listener.xen;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.vtpm.listener.xen.host.EventChannels;
import org.vtpm.listener.xen.host.GrantPages;
import org.vtpm.listener.xen.ring.TestPage;
import org.vtpm.listener.xen.xenstore.TestXenstored;
import org.vtpm.listener.xen.xenstore.XenStoreSocket;

/** A Xen host in memory: its XenStore, its toolstack, event channels and granted pages as Xen has them. */
final class TestXen implements XenHost, AutoCloseable {
    /** One end of a guest's event channel, and what was sent through it. */
    private static final class Port {
        boolean bound;
        int local;
        /** Events for the guest. */
        int sent;
    }

    private record Key(int domain, int number) {}

    final TestXenstored store;
    private final Map<Key, Port> ports = new HashMap<>();
    private final Map<Key, TestPage> pages = new HashMap<>();
    private final AtomicInteger mapped = new AtomicInteger();
    private final AtomicInteger delivered = new AtomicInteger();
    private int nextDomain = 1;
    private int nextNumber = 8;
    volatile boolean absent;

    TestXen(Path folder) throws IOException {
        store = new TestXenstored(folder.resolve("socket"));
    }

    @Override
    public Access open() throws IOException {
        if (absent) {
            throw new IOException("there is no /dev/xen/evtchn");
        }
        return new Access(XenStoreSocket.connect(store.socket()), new Events(), new Grants());
    }

    @Override
    public void close() throws IOException {
        store.close();
    }

    // The toolstack.

    /** Makes a domain, as xl create does. */
    synchronized int domain(String name) {
        int domain = nextDomain++;
        store.writeAll("/local/domain/" + domain, "", "/local/domain/" + domain + "/name", name);
        store.introduce(domain);
        return domain;
    }

    /** Gives a domain a TPM device, as libxl does. */
    void attach(int domain, int device, UUID tpm) {
        DeviceId id = new DeviceId(domain, device);
        store.writeAll(
                id.frontend() + "/backend", id.backend(),
                id.frontend() + "/backend-id", "0",
                id.frontend() + "/state", "1",
                id.frontend() + "/handle", String.valueOf(device),
                id.backend() + "/frontend", id.frontend(),
                id.backend() + "/frontend-id", String.valueOf(domain),
                id.backend() + "/online", "1",
                id.backend() + "/state", "1",
                id.backend() + "/handle", String.valueOf(device),
                id.backend() + "/uuid", tpm.toString(),
                id.backend() + "/resume", "False");
    }

    /** Takes a device away, as xl vtpm-detach does; waits for the backend. */
    void detach(int domain, int device) throws InterruptedException {
        DeviceId id = new DeviceId(domain, device);
        store.writeAll(id.backend() + "/online", "0", id.backend() + "/state", "5");
        await(id, "6");
        store.remove(id.frontend());
        store.remove(id.backend());
    }

    /** Ends a domain, as xl destroy does. */
    void destroy(int domain) throws InterruptedException {
        DeviceId id = new DeviceId(domain, 0);
        if (store.read(id.backend() + "/state") != null) {
            store.remove(id.frontend());
            detach(domain, 0);
        }
        store.remove("/local/domain/0/backend/vtpm/" + domain);
        store.remove("/local/domain/" + domain);
        store.release(domain);
    }

    String backendState(DeviceId id) {
        return store.read(id.backend() + "/state");
    }

    void await(DeviceId id, String state) throws InterruptedException {
        awaitNode(id.backend() + "/state", state);
    }

    void awaitNode(String path, String value) throws InterruptedException {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!value.equals(store.read(path))) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(path + " is " + store.read(path) + ", not " + value);
            }
            Thread.sleep(2);
        }
    }

    /** Pages that are mapped now. */
    int mapped() {
        return mapped.get();
    }

    /** Events that backends have got. */
    int delivered() {
        return delivered.get();
    }

    // The guest.

    synchronized int grant(int domain, TestPage page) {
        pages.put(new Key(domain, nextNumber), page);
        return nextNumber++;
    }

    synchronized int offerPort(int domain) {
        ports.put(new Key(domain, nextNumber), new Port());
        return nextNumber++;
    }

    synchronized int sentTo(int domain, int port) {
        return ports.get(new Key(domain, port)).sent;
    }

    void signal(int domain, int port) {
        Events owner;
        int local;
        synchronized (this) {
            Port end = ports.get(new Key(domain, port));
            if (!end.bound) {
                return;
            }
            owner = current;
            local = end.local;
        }
        owner.raise(local);
    }

    private Events current;

    private final class Events implements EventChannels {
        private final Map<Integer, Port> bound = new HashMap<>();
        private final Set<Integer> masked = new HashSet<>();
        private final Set<Integer> pending = new LinkedHashSet<>();
        private boolean woken;
        private int next = 100;

        Events() {
            synchronized (TestXen.this) {
                current = this;
            }
        }

        @Override
        public int bind(int domain, int remotePort) throws IOException {
            synchronized (TestXen.this) {
                Port port = ports.get(new Key(domain, remotePort));
                if (port == null || port.bound) {
                    throw new IOException("Cannot bind event channel " + remotePort + " of domain " + domain);
                }
                port.bound = true;
                port.local = next++;
                synchronized (this) {
                    bound.put(port.local, port);
                }
                // Xen marks a port that was just bound as pending.
                raise(port.local);
                return port.local;
            }
        }

        @Override
        public void unbind(int port) {
            synchronized (TestXen.this) {
                synchronized (this) {
                    Port end = bound.remove(port);
                    if (end == null) {
                        throw new AssertionError("unbinds what is not bound");
                    }
                    end.bound = false;
                    masked.remove(port);
                    pending.remove(port);
                }
            }
        }

        @Override
        public void signal(int port) {
            synchronized (TestXen.this) {
                synchronized (this) {
                    bound.get(port).sent++;
                }
            }
        }

        @Override
        public synchronized void unmask(int port) {
            masked.remove(port);
            notifyAll();
        }

        synchronized void raise(int port) {
            pending.add(port);
            notifyAll();
        }

        @Override
        public void await(int timeoutMillis, IntConsumer consumer) {
            for (int port : next(timeoutMillis)) {
                delivered.incrementAndGet();
                consumer.accept(port);
            }
        }

        private synchronized Set<Integer> next(int timeoutMillis) {
            long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
            while (true) {
                Set<Integer> ready = new LinkedHashSet<>(pending);
                ready.removeAll(masked);
                if (!ready.isEmpty() || woken) {
                    woken = false;
                    pending.removeAll(ready);
                    masked.addAll(ready);
                    return ready;
                }
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (timeoutMillis >= 0 && left <= 0) {
                    return Set.of();
                }
                try {
                    wait(timeoutMillis < 0 ? 0 : left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return Set.of();
                }
            }
        }

        @Override
        public synchronized void wake() {
            woken = true;
            notifyAll();
        }

        @Override
        public void close() {
            synchronized (TestXen.this) {
                bound.values().forEach(port -> port.bound = false);
            }
        }
    }

    private final class Grants implements GrantPages {
        @Override
        public Page map(int domain, int reference) throws IOException {
            synchronized (TestXen.this) {
                TestPage page = pages.get(new Key(domain, reference));
                if (page == null) {
                    throw new IOException("Cannot map grant " + reference + " of domain " + domain);
                }
                mapped.incrementAndGet();
                return new Mapped(page);
            }
        }

        @Override
        public void close() {}
    }

    private final class Mapped implements GrantPages.Page {
        private final TestPage page;
        private boolean closed;

        Mapped(TestPage page) {
            this.page = page;
        }

        private TestPage page() {
            if (closed) {
                throw new AssertionError("a page is used that is mapped no more: the JVM would have crashed");
            }
            return page;
        }

        @Override
        public long header() {
            return page().header();
        }

        @Override
        public void read(int offset, byte[] into) {
            page().read(offset, into);
        }

        @Override
        public void write(int offset, byte[] from) {
            page().write(offset, from);
        }

        @Override
        public void length(int length) {
            page().length(length);
        }

        @Override
        public void state(int state) {
            page().state(state);
        }

        @Override
        public void close() {
            page();
            closed = true;
            mapped.decrementAndGet();
        }
    }
}
