package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.U8;

/**
 * An authorisation session (TPM Main Part 1, section 13).
 *
 * @param protocol {@link #OIAP}, {@link #OSAP} or {@link #DSAP}
 * @param adip high byte of TPM_ENTITY_TYPE: how new secrets are encrypted
 * @param entity what an OSAP or DSAP session is bound to
 * @param nonceEven the TPM's last nonce
 * @param sharedSecret HMAC key of an OSAP or DSAP session
 */
public record Session(
        int handle,
        @U8 int protocol,
        @U8 int adip,
        Entity entity,
        @Fixed(20) byte[] nonceEven,
        @Fixed(20) byte[] sharedSecret) {

    /** TPM_PROTOCOL_ID. */
    public static final int OIAP = 1;

    public static final int OSAP = 2;
    public static final int DSAP = 6;

    public Session withNonceEven(byte[] nonce) {
        return new Session(handle, protocol, adip, entity, nonce, sharedSecret);
    }

    public Session withHandle(int to) {
        return new Session(to, protocol, adip, entity, nonceEven, sharedSecret);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "Session[0x" + Integer.toHexString(handle) + "]";
    }
}
