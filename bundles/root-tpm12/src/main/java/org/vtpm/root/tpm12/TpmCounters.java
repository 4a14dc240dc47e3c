package org.vtpm.root.tpm12;

import java.util.Arrays;
import java.util.Optional;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Tag;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.tpm12.structure.CounterValue;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;

/**
 * The TPM's own monotonic counters (TPM Main Part 3, section 25). A new one starts above all that there ever were, so that
 * none can be made anew with an old value. Of all counters one can be raised between two starts of the host.
 */
final class TpmCounters implements MonotonicCounters {
    private static final int LABEL_LENGTH = 4;

    /**
     * The identifier of a counter, version 1; docs/root-tpm12.md describes it byte by byte.
     *
     * @param countId the TPM's number for it, which another counter gets when this one is released
     * @param label random, tells it from others that get its number
     * @param srk modulus of the storage root key
     */
    @Tag(value = 0x56544D31, bytes = 4)
    record CounterId(
            int countId,
            @Fixed(LABEL_LENGTH) byte[] label,
            @Fixed(StorageRootKey.LENGTH) byte[] srk) {
        StorageRootKey storageRootKey() {
            return new StorageRootKey(srk, new byte[0]);
        }
    }

    private final Sequences sequences;

    TpmCounters(Sequences sequences) {
        this.sequences = sequences;
    }

    @Override
    public byte[] create(byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        checkLength(secret);
        if (ownerAuth.length == 0) {
            throw new RootOfTrustException("counters of a TPM 1.2 are made by its owner: give the owner's secret");
        }
        return sequences.run(tpm -> {
            StorageRootKey key = StorageRootKey.enroll(tpm, ownerAuth, false);
            byte[] label = tpm.random(LABEL_LENGTH);
            Session owner = tpm.osap(EntityType.OWNER, Handles.OWNER, ownerAuth);
            Structures.CreatedCounter created = tpm.call(
                    Structures.CreatedCounter.class,
                    Command.CREATE_COUNTER,
                    new Structures.CreateCounter(owner.insert(secret), label),
                    owner);
            return Structures.encode(new CounterId(created.countId(), label, key.modulus()));
        });
    }

    /** TPM_ReadCounter needs no authorization: what makes the answer the TPM's is the transport session. */
    @Override
    public long read(byte[] counter, byte[] secret) throws RootOfTrustException {
        checkLength(secret);
        CounterId id = parse(counter);
        return sequences.run(tpm -> {
            id.storageRootKey().trusted(tpm);
            return value(present(tpm, id));
        });
    }

    @Override
    public long increment(byte[] counter, byte[] secret) throws RootOfTrustException {
        checkLength(secret);
        CounterId id = parse(counter);
        return sequences.run(tpm -> {
            id.storageRootKey().trusted(tpm);
            present(tpm, id);
            try {
                return value(tpm.call(
                                Structures.Count.class,
                                Command.INCREMENT_COUNTER,
                                new Structures.CountId(id.countId()),
                                tpm.oiap(secret))
                        .value());
            } catch (RefusedException e) {
                throw told(id, e);
            }
        });
    }

    @Override
    public void release(byte[] counter, byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        checkLength(secret);
        CounterId id = parse(counter);
        sequences.run(tpm -> {
            id.storageRootKey().trusted(tpm);
            if (find(tpm, id).isPresent()) {
                try {
                    tpm.call(
                            Structures.Nothing.class,
                            Command.RELEASE_COUNTER,
                            new Structures.CountId(id.countId()),
                            tpm.oiap(secret));
                } catch (RefusedException e) {
                    throw told(id, e);
                }
            }
            return id;
        });
    }

    private static RootOfTrustException told(CounterId id, RefusedException e) throws RefusedException {
        if (e.isWrongAuth()) {
            return new RootOfTrustException(
                    "counter " + id.countId() + " of the TPM is used with another secret than it was made with", e);
        }
        if (e.is(ReturnCode.BAD_COUNTER)) {
            return new RootOfTrustException(
                    "the TPM raises one counter only until the host restarts, and that was another one than "
                            + id.countId() + ": restart the host, and let nothing else raise a counter of its TPM ("
                            + e.getMessage() + ")",
                    e);
        }
        if (e.passes()) {
            return new RootOfTrustException(
                    "the TPM lets its counters rest for some seconds after each use: try again (" + e.getMessage()
                            + ")",
                    e);
        }
        throw e;
    }

    private static CounterValue present(Tpm tpm, CounterId id)
            throws HostTpmException, RefusedException, RootOfTrustException {
        return find(tpm, id)
                .orElseThrow(() -> new RootOfTrustException("counter " + id.countId()
                        + " was removed from the TPM: nobody can tell any more whether older data was put back; have it"
                        + " replaced if you trust what is there"));
    }

    private static Optional<CounterValue> find(Tpm tpm, CounterId id)
            throws HostTpmException, RefusedException, RootOfTrustException {
        try {
            CounterValue value = tpm.call(
                            Structures.Count.class, Command.READ_COUNTER, new Structures.CountId(id.countId()))
                    .value();
            return Arrays.equals(value.label(), id.label()) ? Optional.of(value) : Optional.empty();
        } catch (RefusedException e) {
            if (e.is(ReturnCode.BAD_COUNTER)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static long value(CounterValue value) {
        return Integer.toUnsignedLong(value.counter());
    }

    private static void checkLength(byte[] secret) {
        if (secret.length != SECRET_LENGTH) {
            throw new IllegalArgumentException("a counter's secret of " + secret.length + " bytes");
        }
    }

    private static CounterId parse(byte[] counter) throws RootOfTrustException {
        try {
            return Codec.of(CounterId.class).decode(counter);
        } catch (CodecException e) {
            throw new RootOfTrustException(
                    "what names the counter was not made by a TPM 1.2 root of trust, or is damaged", e);
        }
    }
}
