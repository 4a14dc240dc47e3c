package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Fixed;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Counter;
import org.vtpm.engine.tpm12.state.Counters;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.tpm12.structure.CounterValue;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/**
 * Monotonic counters (TPM Main Part 3, section 25). Between two TPM_Startup(ST_CLEAR) only one of them can be
 * incremented: the first that is.
 */
public final class CounterChapter implements Chapter {
    record CreateCounter(
            @Fixed(20) byte[] encAuth, @Fixed(4) byte[] label) {}

    record Created(int countId, CounterValue counterValue) {}

    record CountId(int countId) {}

    record Count(CounterValue count) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("CreateCounter", CreateCounter.class, CounterChapter::createCounter);
        handlers.on("IncrementCounter", CountId.class, CounterChapter::incrementCounter);
        handlers.on("ReadCounter", CountId.class, (tx, request) -> new Count(value(find(tx, request.countId()))));
        handlers.on("ReleaseCounter", CountId.class, CounterChapter::releaseCounter);
        handlers.on("ReleaseCounterOwner", CountId.class, CounterChapter::releaseCounterOwner);
    }

    /** The counter of this number. */
    static Counter find(Transaction tx, int countId) {
        Counter counter = tx.permanent().counters().find(countId);
        if (counter == null) {
            throw new TpmException(ReturnCode.BAD_COUNTER);
        }
        return counter;
    }

    private static Record createCounter(Transaction tx, CreateCounter request) {
        tx.authorizations().requireSharedSecret(0);
        tx.authorizations().verifyOwner();
        Counters counters = tx.permanent().counters();
        int countId = counters.freeId();
        require(countId != Counters.NONE && counters.highest() != Counters.LAST_VALUE, ReturnCode.RESOURCES);
        int first = counters.highest() + 1;
        Counter counter = new Counter(
                countId, first, request.label(), first, tx.authorizations().decrypt(0, request.encAuth()));
        tx.permanent(tx.permanent().withCounters(counters.with(counter)));
        return new Created(countId, value(counter));
    }

    private static Record incrementCounter(Transaction tx, CountId request) {
        Counter counter = find(tx, request.countId());
        int active = tx.stClear().activeCounter();
        require(active == Counters.NONE || active == counter.countId(), ReturnCode.BAD_COUNTER);
        tx.authorizations().verify(0, counter.entity(), counter.auth());
        require(counter.value() != Counters.LAST_VALUE, ReturnCode.BAD_COUNTER);
        tx.stClear(tx.stClear().withActiveCounter(counter.countId()));
        tx.permanent(tx.permanent().withCounters(tx.permanent().counters().incremented(counter)));
        return new Count(value(find(tx, request.countId())));
    }

    private static Record releaseCounter(Transaction tx, CountId request) {
        Counter counter = find(tx, request.countId());
        tx.authorizations().verify(0, counter.entity(), counter.auth());
        release(tx, counter);
        return NoParameters.NONE;
    }

    private static Record releaseCounterOwner(Transaction tx, CountId request) {
        tx.authorizations().verifyOwner();
        release(tx, find(tx, request.countId()));
        return NoParameters.NONE;
    }

    /** A counter that is made next may get the number, so neither its sessions nor its activity may be left behind. */
    private static void release(Transaction tx, Counter counter) {
        tx.permanent(tx.permanent().withCounters(tx.permanent().counters().without(counter)));
        tx.stClear(tx.stClear()
                .withoutSessions(session ->
                        session.protocol() != Session.OIAP && session.entity().equals(counter.entity())));
        if (tx.stClear().activeCounter() == counter.countId()) {
            tx.stClear(tx.stClear().withActiveCounter(Counters.RELEASED));
        }
    }

    private static CounterValue value(Counter counter) {
        return new CounterValue(counter.label(), counter.value());
    }
}
