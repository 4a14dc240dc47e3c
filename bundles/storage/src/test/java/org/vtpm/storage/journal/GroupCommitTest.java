package org.vtpm.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.journal.Journals.contents;
import static org.vtpm.storage.journal.Journals.newJournal;
import static org.vtpm.storage.journal.Journals.open;
import static org.vtpm.storage.journal.Journals.put;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vtpm.storage.disk.SimulatedDisk;

/** Many commit at once; the disk is held at a sync, so that it is known who waits for what. */
class GroupCommitTest {
    private final SimulatedDisk disk = new SimulatedDisk();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void whatGathersDuringASyncBecomesOneBlock() throws Exception {
        try (Journal journal = newJournal(disk)) {
            SimulatedDisk.Gate gate = disk.holdNextSync();
            Future<?> first = start(() -> commit(journal, put(0, "a", 1, "first")));
            gate.awaitArrival();
            List<Future<?>> others = new ArrayList<>();
            for (int owner = 1; owner <= 100; owner++) {
                int number = owner;
                others.add(start(() -> commit(journal, put(number, "a", 1, "x"))));
            }
            awaitWaiting(100);
            SimulatedDisk.Gate second = disk.holdNextSync();
            gate.open();
            first.get(30, TimeUnit.SECONDS);
            second.awaitArrival();
            // The first one waited for its own block only; the others' is under way, and nobody of them goes on.
            assertThat(others).noneMatch(Future::isDone);
            assertThat(journal.owners()).hasSize(1);
            second.open();
            for (Future<?> other : others) {
                other.get(30, TimeUnit.SECONDS);
            }
            assertThat(journal.statistics().blocks()).isEqualTo(2);
            assertThat(journal.statistics().commits()).isEqualTo(101);
        }
        assertThat(contents(open(disk))).hasSize(101);
    }

    @Test
    void aBlockThatFailsFailsAllThatAreInItAndNobodyElse() throws Exception {
        try (Journal journal = newJournal(disk)) {
            SimulatedDisk.Gate gate = disk.holdNextSync();
            Future<?> first = start(() -> commit(journal, put(0, "a", 1, "first")));
            gate.awaitArrival();
            List<Future<?>> others = new ArrayList<>();
            for (int owner = 1; owner <= 20; owner++) {
                int number = owner;
                others.add(start(() -> commit(journal, put(number, "a", 1, "x"))));
            }
            Future<?> refused = start(() -> commit(journal, put(5, "z", 7, "refused")));
            awaitWaiting(21);
            SimulatedDisk.Gate second = disk.holdNextSync();
            gate.open();
            first.get(30, TimeUnit.SECONDS);
            second.awaitArrival();
            disk.failNextSync();
            second.open();
            for (Future<?> other : others) {
                assertThatThrownBy(() -> other.get(30, TimeUnit.SECONDS))
                        .isInstanceOf(ExecutionException.class)
                        .hasCauseInstanceOf(IOException.class)
                        .hasMessageContaining("the disk fails");
            }
            assertThatThrownBy(() -> refused.get(30, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
            assertThat(journal.owners()).hasSize(1);
            for (int owner = 1; owner <= 20; owner++) {
                journal.commit(List.of(put(owner, "a", 1, "again")));
            }
            assertThat(journal.owners()).hasSize(21);
        }
    }

    @Test
    void aRefusedChangeDoesNotHarmItsGroup() throws Exception {
        try (Journal journal = newJournal(disk)) {
            SimulatedDisk.Gate gate = disk.holdNextSync();
            Future<?> first = start(() -> commit(journal, put(0, "a", 1, "first")));
            gate.awaitArrival();
            Future<?> refused = start(() -> commit(journal, put(1, "a", 7, "refused")));
            Future<?> good = start(() -> commit(journal, put(2, "a", 1, "good")));
            awaitWaiting(2);
            gate.open();
            first.get(30, TimeUnit.SECONDS);
            good.get(30, TimeUnit.SECONDS);
            assertThatThrownBy(() -> refused.get(30, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(IllegalArgumentException.class);
            assertThat(journal.statistics().blocks()).isEqualTo(2);
        }
    }

    @Test
    void anAnchorGoesBetweenBlocksAndSeesAllThatIsDurable() throws Exception {
        try (Journal journal = newJournal(disk)) {
            SimulatedDisk.Gate gate = disk.holdNextSync();
            Future<?> first = start(() -> commit(journal, put(0, "a", 1, "first")));
            gate.awaitArrival();
            CompletableFuture<byte[]> root = new CompletableFuture<>();
            Future<?> anchor = start(() -> {
                journal.commitAnchor(now -> {
                    root.complete(now.clone());
                    return now;
                });
                return null;
            });
            awaitWaiting(1);
            gate.open();
            first.get(30, TimeUnit.SECONDS);
            anchor.get(30, TimeUnit.SECONDS);
            assertThat(root.get()).isEqualTo(journal.root());
            assertThat(journal.statistics().blocks()).isEqualTo(2);
        }
    }

    @Test
    void aThreadThatIsInterruptedFinishesItsCommit() throws Exception {
        try (Journal journal = newJournal(disk)) {
            SimulatedDisk.Gate gate = disk.holdNextSync();
            Future<?> first = start(() -> commit(journal, put(0, "a", 1, "first")));
            gate.awaitArrival();
            CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
            Thread second = new Thread(() -> {
                try {
                    journal.commit(List.of(put(1, "a", 1, "second")));
                    interrupted.complete(Thread.currentThread().isInterrupted());
                } catch (IOException e) {
                    interrupted.completeExceptionally(e);
                }
            });
            second.start();
            second.interrupt();
            assertThatThrownBy(() -> interrupted.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            gate.open();
            assertThat(interrupted.get(30, TimeUnit.SECONDS)).isTrue();
            first.get(30, TimeUnit.SECONDS);
            assertThat(journal.owners()).hasSize(2);
        }
    }

    private static Object commit(Journal journal, Change change) throws IOException {
        journal.commit(List.of(change));
        return change;
    }

    private Future<?> start(Callable<?> task) {
        return threads.submit(task);
    }

    /** Waits until so many threads wait for a commit of somebody else's. */
    private static void awaitWaiting(int count) throws InterruptedException {
        while (Thread.getAllStackTraces().values().stream()
                        .filter(stack -> List.of(stack).stream()
                                .anyMatch(frame -> frame.getClassName().equals(CommitQueue.class.getName())
                                        && frame.getMethodName().equals("leads")))
                        .filter(stack -> stack[0].getMethodName().equals("park"))
                        .count()
                < count) {
            Thread.sleep(5);
        }
    }
}
