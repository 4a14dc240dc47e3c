package org.vtpm.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    @Test
    void anIdleLaneRunsABriefTaskOnTheCallersThread() {
        busy.submitHere(() -> true, () -> {
            busy.submit(() -> done.add("meanwhile"));
            done.add("here");
        });
        assertThat(done).containsExactly("here");
        run();
        assertThat(done).containsExactly("here", "meanwhile");
    }

    @Test
    void aTaskThatIsNotBriefGoesToThePoolAheadOfWhatComesLater() {
        busy.submitHere(
                () -> {
                    busy.submit(() -> done.add("later"));
                    return false;
                },
                () -> done.add("first"));
        assertThat(done).isEmpty();
        run();
        assertThat(done).containsExactly("first", "later");
    }

    @Test
    void aLaneThatIsNotIdleKeepsTheOrder() {
        submitBusy(1);
        busy.submitHere(() -> done.add("asked"), () -> done.add("behind"));
        assertThat(done).isEmpty();
        run();
        assertThat(done).containsExactly("busy", "behind");
    }

    @Test
    void aTaskAbandonedOnTheCallersThreadDoesNotHoldTheOthers() {
        busy.submitHere(() -> true, () -> {
            submitBusy(1);
            busy.abandon();
            run();
            done.add("abandoned");
        });
        assertThat(done).containsExactly("busy", "abandoned");
        busy.submitHere(() -> true, () -> done.add("again"));
        assertThat(done).endsWith("again");
    }

    @Test
    void aTaskThatThrowsOnTheCallersThreadLeavesTheLaneFree() {
        assertThatThrownBy(() -> busy.submitHere(() -> true, () -> {
                    throw new IllegalStateException("provoked");
                }))
                .hasMessage("provoked");
        submitBusy(1);
        run();
        assertThat(done).containsExactly("busy");
    }

    @Test
    void aTaskThatThrowsOnThePoolLeavesTheLaneFree() {
        busy.submit(() -> {
            throw new StackOverflowError("provoked");
        });
        submitBusy(1);
        assertThatThrownBy(this::run).hasMessage("provoked");
        run();
        submitBusy(1);
        run();
        assertThat(done).containsExactly("busy", "busy");
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
