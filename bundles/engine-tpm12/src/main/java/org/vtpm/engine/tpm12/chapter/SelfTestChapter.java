package org.vtpm.engine.tpm12.chapter;

import java.nio.charset.StandardCharsets;
import org.vtpm.codec.Sized;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.SelfTests;
import org.vtpm.engine.tpm12.command.Transaction;

/** Admin testing (TPM Main Part 3, section 4). */
public final class SelfTestChapter implements Chapter {
    record TestResult(@Sized byte[] outData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("SelfTestFull", NoParameters.class, SelfTestChapter::selfTest);
        handlers.on("ContinueSelfTest", NoParameters.class, SelfTestChapter::selfTest);
        handlers.on("GetTestResult", NoParameters.class, SelfTestChapter::getTestResult);
    }

    /** The tests are quick, so that both commands answer after them. */
    private static Record selfTest(Transaction tx, NoParameters request) {
        SelfTests.run(tx);
        return NoParameters.NONE;
    }

    private static Record getTestResult(Transaction tx, NoParameters request) {
        String result = "self-test: " + tx.volatiles().selfTest();
        return new TestResult(result.getBytes(StandardCharsets.US_ASCII));
    }
}
