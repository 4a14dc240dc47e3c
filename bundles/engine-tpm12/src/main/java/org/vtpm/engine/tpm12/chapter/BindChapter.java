package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Data that somebody outside encrypted for a key of this TPM (TPM Main Part 3, section 10.3). */
public final class BindChapter implements Chapter {
    record UnBind(int keyHandle, @Sized byte[] inData) {}

    record Unbound(@Sized byte[] outData) {}

    /** TPM_BOUND_DATA (TPM Main Part 2, section 9.5), which has no length of its own. */
    @Tag(value = 0x01010000, bytes = 4, mask = 0xFFFF0000L, mismatch = CodecException.Kind.BAD_VERSION)
    record BoundData(@U8 int payload, @Rest byte[] payloadData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("UnBind", UnBind.class, BindChapter::unbind);
    }

    private static Record unbind(Transaction tx, UnBind request) {
        require(request.inData().length > 0, ReturnCode.BAD_PARAMETER);
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Keys.requireUsage(key, KeyUsage.BIND, KeyUsage.LEGACY);
        byte[] plain = Decryption.withKey(tx, key, request.inData());
        if (Decryption.isPkcs1(key) && key.key().keyUsage() == KeyUsage.LEGACY) {
            return new Unbound(plain);
        }
        try {
            BoundData bound = Codec.of(BoundData.class).decode(plain);
            require(bound.payload() == PayloadType.BIND, ReturnCode.INVALID_STRUCTURE);
            return new Unbound(bound.payloadData());
        } catch (CodecException e) {
            throw new TpmException(
                    e.kind() == CodecException.Kind.BAD_VERSION ? ReturnCode.BAD_VERSION : ReturnCode.BAD_PARAM_SIZE);
        } finally {
            Secrets.zero(plain);
        }
    }
}
