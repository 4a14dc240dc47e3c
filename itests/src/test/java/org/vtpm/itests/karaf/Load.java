package org.vtpm.itests.karaf;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Does something over and over in a thread of its own, until it is ended or a step fails. */
final class Load {
    private static final long LAST_STEP_MINUTES = 2;

    /** What is done over and over. */
    @FunctionalInterface
    interface Step {
        void run() throws Exception;
    }

    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile boolean wanted = true;

    private Load() {}

    static Load start(String name, Step step) {
        Load load = new Load();
        new Thread(() -> load.repeat(step), name).start();
        return load;
    }

    private void repeat(Step step) {
        try {
            while (wanted) {
                step.run();
            }
            ended.complete(null);
        } catch (Throwable e) {
            ended.completeExceptionally(e);
        }
    }

    /** Fails if a step did. */
    void check() throws Exception {
        if (ended.isDone()) {
            join();
        }
    }

    /** Ends it after the current step, and fails if a step did. */
    void end() throws Exception {
        wanted = false;
        join();
    }

    private void join() throws Exception {
        try {
            ended.get(LAST_STEP_MINUTES, TimeUnit.MINUTES);
        } catch (ExecutionException e) {
            throw new AssertionError("the load failed", e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("the last step does not end", e);
        }
    }
}
