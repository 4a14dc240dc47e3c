package org.vtpm.root.tpm12;

import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.tpm12.structure.CounterValue;
import org.vtpm.tpm12.structure.CurrentTicks;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.StoredData;
import org.vtpm.tpm12.structure.TpmKey;
import org.vtpm.tpm12.structure.TransportPublic;

/** What the commands in use and their responses have between the header and the authorization (TPM Main Part 3). */
final class Structures {
    private Structures() {}

    record Nothing() {}

    record Oiap(int authHandle, @Fixed(20) byte[] nonceEven) {}

    record OsapRequest(
            @U16 int entityType, int entityValue, @Fixed(20) byte[] nonceOddOsap) {}

    record Osap(
            int authHandle,
            @Fixed(20) byte[] nonceEven,
            @Fixed(20) byte[] nonceEvenOsap) {}

    /** @param protocolId TPM_PID_OWNER */
    record TakeOwnership(
            @U16 int protocolId,
            @Sized byte[] encOwnerAuth,
            @Sized byte[] encSrkAuth,
            TpmKey srkParams) {}

    record SrkPub(TpmKey srkPub) {}

    record PcrIndex(int pcrIndex) {}

    record Digest(@Fixed(20) byte[] value) {}

    record Seal(
            int keyHandle,
            @Fixed(20) byte[] encAuth,
            @Sized byte[] pcrInfo,
            @Sized byte[] inData) {}

    record Sealed(StoredData sealedData) {}

    record Unseal(int parentHandle, StoredData inData) {}

    record Secret(@Sized byte[] secret) {}

    record KeyHandle(int keyHandle) {}

    record PublicKey(Pubkey key) {}

    record GetCapability(int capArea, @Sized byte[] subCap) {}

    record Capability(@Sized byte[] value) {}

    record ReadPubek(@Fixed(20) byte[] antiReplay) {}

    record Pubek(Pubkey key, @Fixed(20) byte[] checksum) {}

    record FlushSpecific(int handle, int resourceType) {}

    record CreateCounter(
            @Fixed(20) byte[] encAuth, @Fixed(4) byte[] label) {}

    record CreatedCounter(int countId, CounterValue value) {}

    record CountId(int countId) {}

    record Count(CounterValue value) {}

    record EstablishTransport(
            int encHandle,
            TransportPublic transPublic,
            @Sized byte[] secret) {}

    record EstablishedTransport(
            int transHandle,
            int locality,
            CurrentTicks currentTicks,
            @Fixed(20) byte[] transNonceEven) {}

    /** Encodes a structure. */
    @SuppressWarnings("unchecked") // a value's own class
    static <T extends Record> byte[] encode(T value) {
        return Codec.of((Class<T>) value.getClass()).encode(value);
    }
}
