package org.vtpm.manager;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads that all instances share. A thread lost to an engine that does not return is replaced until it does. */
final class WorkerPool implements Executor, AutoCloseable {
    private final ThreadPoolExecutor threads;
    private final AtomicInteger lost = new AtomicInteger();
    private final int size;

    WorkerPool(int size) {
        this.size = size;
        AtomicInteger number = new AtomicInteger();
        ThreadFactory factory = task -> {
            Thread thread = new Thread(task, "vtpm-worker-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
        threads = new ThreadPoolExecutor(size, size, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
        threads.allowCoreThreadTimeOut(true);
    }

    @Override
    public void execute(Runnable task) {
        threads.execute(task);
    }

    /** A thread is held by an engine that was given up. */
    void threadLost() {
        resize(lost.incrementAndGet());
    }

    /** A lost thread came back. */
    void threadFound() {
        resize(lost.decrementAndGet());
    }

    private synchronized void resize(int extra) {
        int target = size + extra;
        if (target > threads.getMaximumPoolSize()) {
            threads.setMaximumPoolSize(target);
            threads.setCorePoolSize(target);
        } else {
            threads.setCorePoolSize(target);
            threads.setMaximumPoolSize(target);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
