package org.vtpm.manager;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One instance's serial queue on the shared pool: tasks run in order, one at a time, on any thread. An idle lane holds no
 * thread, and a busy one gives its thread back after {@value #BATCH} tasks, behind the lanes that wait for one. What a task
 * throws is its thread's to deal with; the tasks behind it run all the same.
 */
final class Lane {
    static final int BATCH = 16;

    private final Executor pool;
    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private boolean running;
    private long epoch;

    Lane(Executor pool) {
        this.pool = pool;
    }

    void submit(Runnable task) {
        synchronized (tasks) {
            tasks.addLast(task);
            if (running) {
                return;
            }
            running = true;
        }
        launch();
    }

    /**
     * Runs a task on the calling thread if nothing else runs or waits, and {@code brief}, which is asked between two tasks,
     * says yes. Queues it otherwise. What is submitted meanwhile runs on the pool.
     */
    void submitHere(BooleanSupplier brief, Runnable task) {
        long mine;
        synchronized (tasks) {
            if (running) {
                tasks.addLast(task);
                return;
            }
            running = true;
            mine = epoch;
        }
        boolean done = false;
        try {
            if (brief.getAsBoolean()) {
                done = true;
                task.run();
            }
        } finally {
            release(mine, done ? null : task);
        }
    }

    /** @param undone comes before all that waits */
    private void release(long mine, @Nullable Runnable undone) {
        synchronized (tasks) {
            if (epoch != mine) {
                return;
            }
            if (undone != null) {
                tasks.addFirst(undone);
            }
            running = !tasks.isEmpty();
            if (!running) {
                return;
            }
        }
        launch();
    }

    /** Tasks that wait, not counting the one that runs. */
    int waiting() {
        synchronized (tasks) {
            return tasks.size();
        }
    }

    /**
     * Gives the running task up: the tasks behind it go on without it, and whatever it still does no longer holds the
     * lane.
     */
    void abandon() {
        synchronized (tasks) {
            epoch++;
            running = !tasks.isEmpty();
            if (!running) {
                return;
            }
        }
        launch();
    }

    private void launch() {
        long mine;
        synchronized (tasks) {
            mine = epoch;
        }
        pool.execute(() -> drain(mine));
    }

    private void drain(long mine) {
        do {
            for (int done = 0; done < BATCH; done++) {
                Runnable task;
                synchronized (tasks) {
                    if (epoch != mine) {
                        return;
                    }
                    task = tasks.pollFirst();
                    if (task == null) {
                        running = false;
                        return;
                    }
                }
                boolean ended = false;
                try {
                    task.run();
                    ended = true;
                } finally {
                    if (!ended) {
                        release(mine, null);
                    }
                }
            }
        } while (!handedOn(mine));
    }

    /** Queues the rest behind the other lanes. A pool that is shutting down takes nothing more; the caller then goes on. */
    private boolean handedOn(long mine) {
        try {
            pool.execute(() -> drain(mine));
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }
}
