package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Sized;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.SignInfo;
import org.vtpm.tpm12.structure.TpmException;

/** Signing what the guest brings (TPM Main Part 3, section 13.5). */
public final class SigningChapter implements Chapter {
    record Sign(int keyHandle, @Sized byte[] areaToSign) {}

    record Signed(@Sized byte[] sig) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("Sign", Sign.class, SigningChapter::sign);
    }

    private static Record sign(Transaction tx, Sign request) {
        LoadedKey key = Keys.use(tx, request.keyHandle());
        byte[] area = request.areaToSign();
        require(area.length > 0, ReturnCode.BAD_PARAMETER);
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.LEGACY);
        return new Signed(
                switch (Signature.scheme(key)) {
                    case Algorithm.SS_RSASSAPKCS1V15_SHA1 -> {
                        require(area.length == Sha1.LENGTH, ReturnCode.BAD_PARAMETER);
                        yield Signature.ofDigest(tx, key, area);
                    }
                    case Algorithm.SS_RSASSAPKCS1V15_DER -> Signature.ofDer(tx, key, area);
                    case Algorithm.SS_RSASSAPKCS1V15_INFO -> {
                        // The nonce of the authorisation block is the verifier's challenge.
                        require(tx.authorizations().count() > 0, ReturnCode.BAD_PARAMETER);
                        SignInfo info = SignInfo.of("SIGN", tx.authorizations().nonceOdd(0), area);
                        yield Signature.ofDigest(tx, key, info.digest());
                    }
                    default -> throw new TpmException(ReturnCode.INVALID_KEYUSAGE);
                });
    }
}
