package org.vtpm.storage.journal;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets one thread at a time lead: it writes for all that wait behind it, while the next ones gather. Whoever finds nobody
 * leading leads at once, so that a single thread is never handed over to another one.
 */
final class CommitQueue {
    /** A caller that waits for its turn, or for another one to do its work. */
    static final class Commit {
        private final List<BlockEntry> changes;
        private final int length;
        private final boolean alone;
        private final CountDownLatch turn = new CountDownLatch(1);
        private boolean done;
        private @Nullable Throwable failure;

        private Commit(List<BlockEntry> changes, boolean alone) {
            this.changes = changes;
            this.alone = alone;
            length = changes.stream().mapToInt(BlockEntry::length).reduce(0, Math::addExact);
        }

        List<BlockEntry> changes() {
            return changes;
        }

        /** It will fail for this reason. */
        void fail(Throwable reason) {
            failure = reason;
        }
    }

    /** What a leader does. */
    @FunctionalInterface
    interface Action<T> {
        T run() throws IOException;
    }

    private final int limit;
    private final ArrayDeque<Commit> waiting = new ArrayDeque<>();
    private boolean led;

    /**
     * An empty queue.
     *
     * @param limit bytes of changes that are written together at most, unless one caller has more
     */
    CommitQueue(int limit) {
        this.limit = limit;
    }

    /**
     * Has changes written and waits for it.
     *
     * @param writer writes several callers' changes as the leader; those that it does not {@link Commit#fail} succeeded
     * @return null, or why it failed
     */
    @Nullable
    Throwable commit(List<BlockEntry> changes, Consumer<List<Commit>> writer) {
        Commit mine = new Commit(changes, false);
        if (leads(mine)) {
            List<Commit> group = group();
            try {
                writer.accept(group);
            } catch (RuntimeException | Error e) {
                group.forEach(commit -> commit.fail(e));
            } finally {
                finish(group);
            }
        }
        return mine.failure;
    }

    /** Does something as the leader, with nobody else's changes. */
    <T> T alone(Action<T> action) throws IOException {
        Commit mine = new Commit(List.of(), true);
        leads(mine);
        try {
            return action.run();
        } finally {
            synchronized (this) {
                waiting.remove();
            }
            finish(List.of(mine));
        }
    }

    /** Waits for the turn to lead; false if another one has done the work. */
    private boolean leads(Commit mine) {
        synchronized (this) {
            waiting.add(mine);
            if (!led) {
                led = true;
                return true;
            }
        }
        boolean interrupted = false;
        while (true) {
            try {
                mine.turn.await();
                break;
            } catch (InterruptedException e) {
                // What is half written cannot be called back.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !mine.done;
    }

    /** The leader, who is first, and those behind it who want the same, up to the limit. */
    private synchronized List<Commit> group() {
        List<Commit> group = new ArrayList<>();
        long length = 0;
        do {
            Commit next = waiting.remove();
            length += next.length;
            group.add(next);
        } while (!waiting.isEmpty() && !waiting.element().alone && length + waiting.element().length <= limit);
        return group;
    }

    /** Lets those go whose work is done, and the first of the others lead. */
    private void finish(List<Commit> group) {
        for (Commit commit : group) {
            commit.done = true;
            commit.turn.countDown();
        }
        synchronized (this) {
            led = !waiting.isEmpty();
            if (led) {
                waiting.element().turn.countDown();
            }
        }
    }
}
