package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.TransportLogIn;
import org.vtpm.tpm12.structure.TransportLogOut;
import org.vtpm.tpm12.structure.TransportPublic;

/**
 * A transport session: TPM_TRANSPORT_INTERNAL (TPM Main Part 2, section 13.2).
 *
 * @param authData its secret: authorises and encrypts
 * @param nonceEven transNonceEven: the TPM's last nonce
 * @param digest transDigest: of all that was logged; zeros if nothing is
 */
public record TransportSession(
        int handle,
        @Fixed(20) byte[] authData,
        TransportPublic pub,
        @Fixed(20) byte[] nonceEven,
        @Fixed(20) byte[] digest) {

    public TransportSession withHandle(int to) {
        return new TransportSession(to, authData, pub, nonceEven, digest);
    }

    public TransportSession withNonceEven(byte[] nonce) {
        return new TransportSession(handle, authData, pub, nonce, digest);
    }

    /** This session after its log was extended, if it has one. */
    public TransportSession logged(TransportLogIn entry) {
        return extended(Codec.of(TransportLogIn.class).encode(entry));
    }

    /** This session after its log was extended, if it has one. */
    public TransportSession logged(TransportLogOut entry) {
        return extended(Codec.of(TransportLogOut.class).encode(entry));
    }

    public boolean encrypts() {
        return pub.has(TransportPublic.ENCRYPT);
    }

    public boolean logs() {
        return pub.has(TransportPublic.LOG);
    }

    /** Whether any command outside of it ends it. */
    public boolean exclusive() {
        return pub.has(TransportPublic.EXCLUSIVE);
    }

    private TransportSession extended(byte[] entry) {
        return logs() ? new TransportSession(handle, authData, pub, nonceEven, Sha1.of(digest, entry)) : this;
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "TransportSession[0x" + Integer.toHexString(handle) + "]";
    }
}
