package org.vtpm.listener.xen;

import java.io.IOException;
import java.util.Comparator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.listener.xen.host.EventChannels;

/**
 * The one thread that waits for the events of all guests. It never waits for anything else; a guest that sends too many is
 * left masked for a while, so none can keep it from the others.
 */
final class EventLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

    private static final int FOR_GOOD = -1;

    private record Muted(GuestLink link, long until) {}

    private final EventChannels events;
    private final Consumer<IOException> lost;
    private final Map<Integer, GuestLink> links = new ConcurrentHashMap<>();
    /** Used by the loop's thread. */
    private final PriorityQueue<Muted> muted = new PriorityQueue<>(Comparator.comparingLong(Muted::until));

    private final Thread thread;
    private volatile boolean closing;

    /** @param lost called if there are no more events, ever */
    EventLoop(EventChannels events, Consumer<IOException> lost) {
        this.events = events;
        this.lost = lost;
        thread = new Thread(this::run, "vtpm-xen-events");
        thread.setDaemon(true);
        thread.start();
    }

    void add(GuestLink link) {
        links.put(link.port(), link);
    }

    void remove(GuestLink link) {
        links.remove(link.port(), link);
    }

    @Override
    public void close() {
        closing = true;
        events.wake();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closing) {
                events.await(patience(), this::delivered);
                unmute();
            }
        } catch (IOException e) {
            lost.accept(e);
        }
    }

    private void delivered(int port) {
        GuestLink link = links.get(port);
        if (link == null) {
            return;
        }
        try {
            long now = System.nanoTime();
            long pause = link.event(now);
            if (pause > 0) {
                muted.add(new Muted(link, now + pause));
            }
        } catch (RuntimeException e) {
            // A fault in the code for one guest must not end the thread that serves all.
            LOG.error("Unexpected fault while serving event channel {}", port, e);
        }
    }

    private void unmute() {
        long now = System.nanoTime();
        while (!muted.isEmpty() && muted.peek().until() - now <= 0) {
            muted.remove().link().unmute();
        }
    }

    private int patience() {
        Muted next = muted.peek();
        if (next == null) {
            return FOR_GOOD;
        }
        long left = TimeUnit.NANOSECONDS.toMillis(next.until() - System.nanoTime()) + 1;
        return (int) Math.max(0, Math.min(left, 1000));
    }
}
