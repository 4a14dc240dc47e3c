package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.Fixed;

/**
 * TPM_DAA_JOINDATA (TPM Main Part 2, section 22.6): what only a join needs.
 *
 * @param u0 secret: lower part of this TPM's share of the certificate's blinding
 * @param u1 secret: its higher part
 * @param digestN0 SHA-1 over the first key of the chain that vouches for the issuer
 */
public record DaaJoinData(
        @Fixed(128) byte[] u0,
        @Fixed(138) byte[] u1,
        @Fixed(20) byte[] digestN0) {
    public static final int U0_LENGTH = 128;
    public static final int U1_LENGTH = 138;

    /** All fields are NULL. */
    public static DaaJoinData initial() {
        return new DaaJoinData(new byte[U0_LENGTH], new byte[U1_LENGTH], new byte[20]);
    }

    public DaaJoinData withBlinding(byte[] newU0, byte[] newU1) {
        return new DaaJoinData(newU0, newU1, digestN0);
    }

    public DaaJoinData withDigestN0(byte[] to) {
        return new DaaJoinData(u0, u1, to);
    }

    /** Names no secret. */
    @Override
    public String toString() {
        return "DaaJoinData[secret]";
    }
}
