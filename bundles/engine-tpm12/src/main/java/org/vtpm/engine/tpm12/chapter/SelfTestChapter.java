package org.vtpm.engine.tpm12.chapter;

import java.nio.charset.StandardCharsets;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.SelfTests;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.structure.Algorithm;
import org.vtpm.engine.tpm12.structure.KeyUsage;
import org.vtpm.engine.tpm12.structure.ReturnCode;

/** Admin testing (TPM Main Part 3, section 4, and the CertifySelfTest of version 1.1). */
public final class SelfTestChapter implements Chapter {
    record TestResult(@Sized byte[] outData) {}

    record CertifySelfTest(int keyHandle, @Fixed(20) byte[] antiReplay) {}

    /** What is signed when the tests passed. */
    record Passed(@Fixed(11) byte[] text, @Fixed(20) byte[] antiReplay, int ordinal) {}

    record Signed(@Sized byte[] sig) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("SelfTestFull", NoParameters.class, SelfTestChapter::selfTest);
        handlers.on("ContinueSelfTest", NoParameters.class, SelfTestChapter::selfTest);
        handlers.on("CertifySelfTest", CertifySelfTest.class, SelfTestChapter::certifySelfTest);
        handlers.on("GetTestResult", NoParameters.class, SelfTestChapter::getTestResult);
    }

    /** The tests are quick, so that both commands answer after them. */
    private static Record selfTest(Transaction tx, NoParameters request) {
        SelfTests.run(tx);
        return NoParameters.NONE;
    }

    /** Signs that the tests passed, if they do (command of version 1.1, deleted from version 1.2). */
    private static Record certifySelfTest(Transaction tx, CertifySelfTest request) {
        SelfTests.run(tx);
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Signature.requireScheme(key, ReturnCode.BAD_SCHEME, Algorithm.SS_RSASSAPKCS1V15_SHA1);
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.LEGACY, KeyUsage.IDENTITY);
        Passed passed = new Passed(
                "Test Passed".getBytes(StandardCharsets.US_ASCII),
                request.antiReplay(),
                tx.command().ordinal());
        return new Signed(
                Signature.ofDigest(tx, key, Sha1.of(Codec.of(Passed.class).encode(passed))));
    }

    private static Record getTestResult(Transaction tx, NoParameters request) {
        String result = "self-test: " + tx.volatiles().selfTest();
        return new TestResult(result.getBytes(StandardCharsets.US_ASCII));
    }
}
