package org.vtpm.manager;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** {@link Lane} on a pool of one thread, the test's own. */
class LaneTest {
    private static final int MANY = 5 * Lane.BATCH;

    private final Deque<Runnable> pool = new ArrayDeque<>();
    private final List<String> done = new ArrayList<>();
    private boolean shuttingDown;

    private final Lane busy = new Lane(this::execute);
    private final Lane other = new Lane(this::execute);

    @Test
    void tasksRunInOrder() {
        IntStream.range(0, MANY).forEach(i -> busy.submit(() -> done.add("" + i)));
        run();
        assertThat(done)
                .containsExactlyElementsOf(
                        IntStream.range(0, MANY).mapToObj(Integer::toString).toList());
        assertThat(busy.waiting()).isZero();
    }

    @Test
    void aLaneThatAlwaysHasMoreToDoLetsOthersRun() {
        submitBusy(MANY);
        other.submit(() -> done.add("other"));
        run();
        assertThat(done).hasSize(MANY + 1);
        assertThat(done.indexOf("other")).isEqualTo(Lane.BATCH);
    }

    @Test
    void anEmptyLaneIsLaunchedAgain() {
        submitBusy(Lane.BATCH);
        run();
        submitBusy(1);
        run();
        assertThat(done).hasSize(Lane.BATCH + 1);
    }

    @Test
    void aPoolThatShutsDownLosesNoTask() {
        submitBusy(MANY);
        shuttingDown = true;
        run();
        assertThat(done).hasSize(MANY);
    }

    @Test
    void anAbandonedTaskDoesNotHoldTheOthers() {
        busy.submit(() -> {
            busy.abandon();
            run();
            done.add("abandoned");
        });
        submitBusy(1);
        run();
        assertThat(done).containsExactly("busy", "abandoned");
    }

    private void submitBusy(int tasks) {
        IntStream.range(0, tasks).forEach(i -> busy.submit(() -> done.add("busy")));
    }

    private void execute(Runnable task) {
        if (shuttingDown) {
            throw new RejectedExecutionException();
        }
        pool.addLast(task);
    }

    private void run() {
        while (!pool.isEmpty()) {
            pool.removeFirst().run();
        }
    }
}
