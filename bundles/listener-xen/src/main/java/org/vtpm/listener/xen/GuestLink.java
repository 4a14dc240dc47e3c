package org.vtpm.listener.xen;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.xen.XenDevice;
import org.vtpm.listener.xen.host.EventChannels;
import org.vtpm.listener.xen.host.GrantPages;
import org.vtpm.listener.xen.ring.Refusal;
import org.vtpm.listener.xen.ring.TpmRing;

/**
 * A guest that is connected: its page, its event channel, and at most one command under way. Events come on one thread,
 * answers on any; a lock of its own keeps them apart, and nobody waits under it.
 */
final class GuestLink {
    private static final Logger LOG = LoggerFactory.getLogger(GuestLink.class);

    private final DeviceId id;
    private final int port;
    private final GrantPages.Page page;
    private final TpmRing ring;
    private final TpmFamily family;
    private final EventChannels events;
    private final Supplier<Optional<Target>> target;
    private final Budget budget;

    private final Object lock = new Object();
    private boolean draining;
    private boolean closed;

    private final AtomicLong commands = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong idleEvents = new AtomicLong();
    private final AtomicLong muted = new AtomicLong();

    /**
     * @param target the instance, while it runs, or who else carries commands out
     * @param budget for what the guest asks in vain; used on the thread of {@link #event}
     */
    GuestLink(
            DeviceId id,
            int port,
            GrantPages.Page page,
            TpmRing ring,
            TpmFamily family,
            EventChannels events,
            Supplier<Optional<Target>> target,
            Budget budget) {
        this.id = id;
        this.port = port;
        this.page = page;
        this.ring = ring;
        this.family = family;
        this.events = events;
        this.target = target;
        this.budget = budget;
    }

    int port() {
        return port;
    }

    XenDevice.Counters counters() {
        return new XenDevice.Counters(commands.get(), refused.get(), idleEvents.get(), muted.get());
    }

    boolean busy() {
        synchronized (lock) {
            return ring.busy();
        }
    }

    /**
     * Looks into the page for the first time: the guest may have sent its request before its event channel was bound.
     *
     * @param interrupted whether an earlier backend may have begun that request
     */
    void start(boolean interrupted) {
        if (interrupted) {
            synchronized (lock) {
                if (ring.failInterrupted()) {
                    LOG.warn(
                            "{}: a command was under way when its last backend ended, and was answered with a failure:"
                                    + " nobody knows whether it was carried out",
                            id);
                    events.signal(port);
                }
            }
        }
        look();
        events.unmask(port);
    }

    /**
     * The guest has sent an event.
     *
     * @return how long it must not be listened to, in nanoseconds; 0 if it is
     */
    long event(long now) {
        if (look() || budget.take()) {
            events.unmask(port);
            return 0;
        }
        report(muted, "sends too many events without a valid request, and is not listened to for a moment each time");
        return budget.pause(now);
    }

    /** Listens again; the event that may have come meanwhile is delivered then. */
    void unmute() {
        synchronized (lock) {
            if (!closed) {
                events.unmask(port);
            }
        }
    }

    /**
     * Takes no more requests, and waits for the answer to the one under way.
     *
     * @return whether there is none any more
     */
    boolean drain(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (lock) {
            draining = true;
            while (ring.busy()) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    return false;
                }
                lock.wait(left);
            }
            return true;
        }
    }

    /**
     * Answers a command that is under way with a failure: its TPM is being taken from a guest that runs on. A driver that waited
     * for the answer would hold up its kernel until the command's time is up.
     */
    void abort() {
        synchronized (lock) {
            if (!closed && ring.busy()) {
                ring.finish(Refusal.FAILURE.response(family));
                events.signal(port);
                closed = true;
                giveBack();
            }
        }
    }

    /** Gives the page and the event channel back; an answer that comes later is dropped. */
    void close() {
        synchronized (lock) {
            if (!closed) {
                closed = true;
                giveBack();
            }
        }
    }

    private void giveBack() {
        events.unbind(port);
        page.close();
    }

    /** Answers whether there was a request for the TPM. */
    private boolean look() {
        TpmRing.Found found;
        synchronized (lock) {
            if (closed || draining) {
                return true;
            }
            found = ring.look();
            if (found instanceof TpmRing.Refused || found instanceof TpmRing.Cancelled) {
                events.signal(port);
            }
        }
        if (found instanceof TpmRing.Request request) {
            return execute(request);
        }
        if (found instanceof TpmRing.Refused refusal) {
            report(refused, "sent a request that was refused: " + refusal.why());
        } else {
            idleEvents.incrementAndGet();
        }
        return false;
    }

    private boolean execute(TpmRing.Request request) {
        Optional<Target> present = target.get();
        if (present.isEmpty()) {
            report(refused, "sent a command, but its instance does not run: answered with a failure");
            answer(Refusal.FAILURE.response(family));
            return false;
        }
        commands.incrementAndGet();
        CompletableFuture<byte[]> response;
        try {
            response = present.get().execute(request.locality(), request.command());
        } catch (RuntimeException e) {
            response = CompletableFuture.failedFuture(e);
        }
        CompletableFuture<byte[]> unused = response.whenComplete(this::answered);
        return true;
    }

    private void answered(byte @Nullable [] response, @Nullable Throwable fault) {
        if (response == null) {
            LOG.error("{}: a command was not carried out, and gets a failure", id, fault);
        }
        answer(response == null ? Refusal.FAILURE.response(family) : response);
    }

    private void answer(byte[] response) {
        boolean fits;
        synchronized (lock) {
            if (closed) {
                return;
            }
            fits = ring.finish(response);
            events.signal(port);
            lock.notifyAll();
        }
        if (!fits) {
            LOG.warn("{}: an answer of {} bytes does not fit into its page, it got a failure", id, response.length);
        }
    }

    /** Counts, and logs at powers of two: often enough to be seen, seldom enough not to fill the log. */
    private void report(AtomicLong counter, String what) {
        long count = counter.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.warn("Guest {} {} ({} times so far)", id, what, count);
        }
    }
}
