package org.vtpm.engine.tpm12.chapter;

import java.nio.charset.StandardCharsets;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.SelfTests;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/** Admin testing (TPM Main Part 3, section 4). */
public final class SelfTestChapter implements Chapter {
    record TestResult(@Sized byte[] outData) {}

    private static final byte[] PASSED = "Test Passed".getBytes(StandardCharsets.US_ASCII);

    record CertifySelfTest(int keyHandle, @Fixed(20) byte[] antiReplay) {}

    record Certificate(@Sized byte[] sig) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("SelfTestFull", NoParameters.class, SelfTestChapter::selfTest);
        handlers.on("ContinueSelfTest", NoParameters.class, SelfTestChapter::selfTest);
        handlers.on("GetTestResult", NoParameters.class, SelfTestChapter::getTestResult);
        handlers.on("CertifySelfTest", CertifySelfTest.class, SelfTestChapter::certifySelfTest);
    }

    /**
     * Signs that the self-test passed (TPM Main Part 3, section 4.3, which deprecates it; libtpms leaves it out). A test
     * that fails ends the command before.
     */
    private static Record certifySelfTest(Transaction tx, CertifySelfTest request) {
        SelfTests.run(tx);
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.IDENTITY, KeyUsage.LEGACY);
        Signature.requireScheme(key, ReturnCode.BAD_SCHEME, Algorithm.SS_RSASSAPKCS1V15_SHA1);
        byte[] digest = Sha1.of(
                PASSED,
                request.antiReplay(),
                new ByteWriter(Integer.BYTES).i32(tx.command().ordinal()).finish());
        return new Certificate(Signature.ofDigest(tx, key, digest));
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
