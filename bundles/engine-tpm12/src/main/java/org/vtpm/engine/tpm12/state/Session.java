package org.vtpm.engine.tpm12.state;

import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Present;
import org.vtpm.codec.U8;
import org.vtpm.tpm12.structure.DelegatePublic;

/**
 * An authorisation session (TPM Main Part 1, section 13).
 *
 * @param protocol {@link #OIAP}, {@link #OSAP} or {@link #DSAP}
 * @param adip high byte of TPM_ENTITY_TYPE: how new secrets are encrypted
 * @param entity what an OSAP or DSAP session is bound to
 * @param nonceEven the TPM's last nonce
 * @param sharedSecret HMAC key of an OSAP or DSAP session
 * @param delegation what a DSAP session may be used for
 */
public record Session(
        int handle,
        @U8 int protocol,
        @U8 int adip,
        Entity entity,
        @Fixed(20) byte[] nonceEven,
        @Fixed(20) byte[] sharedSecret,
        @Present @Nullable DelegatePublic delegation) {

    /** TPM_PROTOCOL_ID. */
    public static final int OIAP = 1;

    public static final int OSAP = 2;
    public static final int DSAP = 6;

    public Session withNonceEven(byte[] nonce) {
        return new Session(handle, protocol, adip, entity, nonce, sharedSecret, delegation);
    }

    public Session withHandle(int to) {
        return new Session(to, protocol, adip, entity, nonceEven, sharedSecret, delegation);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "Session[0x" + Integer.toHexString(handle) + "]";
    }
}
