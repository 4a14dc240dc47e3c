package org.vtpm.manager;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;

/**
 * One instance's serial queue on the shared pool: tasks run in order, one at a time, on any thread. An idle lane holds no
 * thread.
 */
final class Lane {
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
        while (true) {
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
            task.run();
        }
    }
}
