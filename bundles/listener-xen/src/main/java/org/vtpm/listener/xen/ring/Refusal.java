package org.vtpm.listener.xen.ring;

import java.nio.ByteBuffer;
import org.vtpm.api.engine.TpmFamily;

/** Answers that the listener gives itself, because a guest's request cannot or must not reach its TPM. */
public enum Refusal {
    /** TPM_BAD_PARAM_SIZE (TPM Main Part 2, section 16) or TPM_RC_COMMAND_SIZE (TPM 2.0 Part 2, section 6.6). */
    BAD_SIZE(0x19, 0x8001, 0x142),
    /** TPM_BADTAG or TPM_RC_BAD_TAG, which TPM 2.0 answers in the format of TPM 1.2. */
    BAD_TAG(0x1E, 0x00C4, 0x1E),
    /** TPM_BAD_LOCALITY or TPM_RC_LOCALITY. */
    BAD_LOCALITY(0x3D, 0x8001, 0x907),
    /** TPM_FAIL or TPM_RC_FAILURE. */
    FAILURE(0x09, 0x8001, 0x101);

    /** Bytes of such an answer: a header without parameters. */
    static final int SIZE = 10;

    private static final short TPM12_RESPONSE = 0x00C4;

    private final int tpm12Code;
    private final int tpm20Tag;
    private final int tpm20Code;

    Refusal(int tpm12Code, int tpm20Tag, int tpm20Code) {
        this.tpm12Code = tpm12Code;
        this.tpm20Tag = tpm20Tag;
        this.tpm20Code = tpm20Code;
    }

    /** The response in the format of the guest's TPM family. */
    public byte[] response(TpmFamily family) {
        ByteBuffer out = ByteBuffer.allocate(SIZE);
        switch (family) {
            case TPM_1_2 -> out.putShort(TPM12_RESPONSE).putInt(SIZE).putInt(tpm12Code);
            case TPM_2_0 -> out.putShort((short) tpm20Tag).putInt(SIZE).putInt(tpm20Code);
        }
        return out.array();
    }
}
