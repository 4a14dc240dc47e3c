package org.vtpm.root.tpm20;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.crypto.Secrets;
import org.vtpm.hosttpm.HostTpmException;

/**
 * Counters in NV indices of type TPM_NT_COUNTER. They are written through at each increment: an orderly one would jump after
 * each loss of power. Wrong secrets do not count for the TPM's defence against dictionary attacks.
 */
final class NvCounters implements MonotonicCounters {
    /** How many handles are tried from the first on. */
    static final int HANDLES = 256;

    // TPMA_NV
    private static final int AUTH_WRITE = 1 << 2;
    private static final int COUNTER = 1 << 4;
    private static final int AUTH_READ = 1 << 18;
    private static final int NO_DA = 1 << 25;
    private static final int WRITTEN = 1 << 29;

    private static final byte[] NONE = {};

    /**
     * The identifier of a counter, version 1; docs/root-tpm20.md describes it byte by byte.
     *
     * @param index handle of the NV index
     * @param storageKey TPMT_PUBLIC of the storage key, which sessions are salted to
     */
    @Tag(value = 0x56544331, bytes = 4)
    record CounterId(
            int index,
            @Sized(prefix = 2, max = Structures.AREA) byte[] storageKey) {
        /** The public area of the index once it is written. */
        byte[] publicArea() {
            return NvCounters.publicArea(index, ATTRIBUTES | WRITTEN);
        }

        /** The index with its secret; the name is computed and not asked for. */
        Handle written(byte[] secret) {
            return Handle.named(index, Structures.name(publicArea()), secret);
        }

        /** The same before its first increment. */
        Handle unwritten(byte[] secret) {
            return Handle.named(index, Structures.name(NvCounters.publicArea(index, ATTRIBUTES)), secret);
        }
    }

    private static final int ATTRIBUTES = COUNTER | AUTH_READ | AUTH_WRITE | NO_DA;

    private final Sequences sequences;
    private final int first;

    /** @param first handle of an NV index; it and the {@value #HANDLES} from there on are used */
    NvCounters(Sequences sequences, int first) {
        this.sequences = sequences;
        this.first = first;
    }

    @Override
    public byte[] create(byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        checkLength(secret);
        try (Handle owner = Handle.bare(Handle.OWNER, ownerAuth)) {
            return sequences.run(tpm -> {
                StorageKey storageKey = StorageKey.enroll(tpm, owner);
                CounterId id = new CounterId(define(tpm, owner, secret), storageKey.publicArea());
                try (Handle unwritten = id.unwritten(secret);
                        Handle written = id.written(secret)) {
                    // Before its first increment it cannot be read, and has another name.
                    tpm.call(CommandCode.NV_INCREMENT, NONE, unwritten, unwritten);
                    read(tpm, written);
                } catch (RefusedException e) {
                    undefine(tpm, owner, id);
                    throw e;
                }
                return Structures.encode(id);
            });
        }
    }

    @Override
    public long read(byte[] counter, byte[] secret) throws RootOfTrustException {
        checkLength(secret);
        CounterId id = parse(counter);
        return sequences.run(tpm -> use(tpm, id, secret, false));
    }

    @Override
    public long increment(byte[] counter, byte[] secret) throws RootOfTrustException {
        checkLength(secret);
        CounterId id = parse(counter);
        return sequences.run(tpm -> use(tpm, id, secret, true));
    }

    @Override
    public void release(byte[] counter, byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        checkLength(secret);
        CounterId id = parse(counter);
        try (Handle owner = Handle.bare(Handle.OWNER, ownerAuth)) {
            sequences.run(tpm -> {
                trust(tpm, id);
                if (Arrays.equals(present(tpm, id), id.publicArea())) {
                    undefine(tpm, owner, id);
                }
                return id;
            });
        }
    }

    private static long use(Tpm tpm, CounterId id, byte[] secret, boolean raise)
            throws HostTpmException, RefusedException, RootOfTrustException {
        trust(tpm, id);
        byte[] present = present(tpm, id);
        if (present.length == 0) {
            throw new RootOfTrustException("the counter in NV index " + hex(id.index())
                    + " was removed from the TPM: nobody can tell any more whether older data was put back; have it"
                    + " replaced if you trust what is there");
        }
        if (!Arrays.equals(present, id.publicArea())) {
            throw new RootOfTrustException("NV index " + hex(id.index())
                    + " is another one than the counter that was made there: that was removed from the TPM; have it"
                    + " replaced if you trust what is there");
        }
        try (Handle index = id.written(secret)) {
            if (raise) {
                tpm.call(CommandCode.NV_INCREMENT, NONE, index, index);
            }
            return read(tpm, index);
        } catch (RefusedException e) {
            if (e.isWrongAuth()) {
                throw new RootOfTrustException(
                        "the counter in NV index " + hex(id.index())
                                + " is used with another secret than it was made with, or was made anew by somebody else",
                        e);
            }
            throw e;
        }
    }

    private static long read(Tpm tpm, Handle index) throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] parameters = tpm.call(
                        CommandCode.NV_READ, Structures.encode(new Structures.NvRead(Long.BYTES, 0)), index, index)
                .parameters();
        byte[] value = Tpm.decode(CommandCode.NV_READ, Structures.Buffer.class, parameters)
                .bytes();
        if (value.length != Long.BYTES) {
            throw Tpm.noResponse(CommandCode.NV_READ, "a counter of " + value.length + " bytes");
        }
        return ByteBuffer.wrap(value).getLong();
    }

    private int define(Tpm tpm, Handle owner, byte[] secret)
            throws HostTpmException, RefusedException, RootOfTrustException {
        int last = first + HANDLES - 1;
        List<Integer> taken = tpm.handles(first, last);
        for (int index = first; index <= last; index++) {
            if (taken.contains(index)) {
                continue;
            }
            byte[] parameters = Structures.encode(new Structures.NvDefineSpace(secret, publicArea(index, ATTRIBUTES)));
            try {
                tpm.call(CommandCode.NV_DEFINE_SPACE, parameters, owner);
                return index;
            } catch (RefusedException e) {
                if (e.isWrongAuth()) {
                    throw new RootOfTrustException("that is not the password of the TPM's owner hierarchy", e);
                }
                // Somebody else was faster.
                if (!e.is(ResponseCode.NV_DEFINED)) {
                    throw e;
                }
            } finally {
                Secrets.zero(parameters);
            }
        }
        throw new RootOfTrustException("all NV indices from " + hex(first) + " to " + hex(last)
                + " are taken: configure another first one, or remove what nobody needs (tpm2_nvreadpublic)");
    }

    private static void undefine(Tpm tpm, Handle owner, CounterId id)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] present = present(tpm, id);
        tpm.call(CommandCode.NV_UNDEFINE_SPACE, NONE, owner, Handle.named(id.index(), Structures.name(present)));
    }

    /** The public area of what is at the counter's index; empty if there is nothing. */
    private static byte[] present(Tpm tpm, CounterId id)
            throws HostTpmException, RefusedException, RootOfTrustException {
        try {
            // Without a session, since its HMAC would cover the name that is asked for. Nothing depends on the answer
            // but the words of an error: the commands that count cover the name as it should be.
            byte[] parameters = tpm.call(null, CommandCode.NV_READ_PUBLIC, NONE, Handle.bare(id.index()))
                    .parameters();
            return Tpm.decode(CommandCode.NV_READ_PUBLIC, Structures.NvReadPublic.class, parameters)
                    .publicArea();
        } catch (RefusedException e) {
            if (e.is(ResponseCode.HANDLE)) {
                return NONE;
            }
            throw e;
        }
    }

    private static void trust(Tpm tpm, CounterId id) throws HostTpmException, RefusedException, RootOfTrustException {
        StorageKey.recorded(tpm, id.storageKey(), storagePublic(id), NONE);
    }

    private static Structures.StoragePublic storagePublic(CounterId id) throws RootOfTrustException {
        try {
            return Codec.of(Structures.StoragePublic.class).decode(id.storageKey());
        } catch (CodecException e) {
            throw notOurs();
        }
    }

    private static CounterId parse(byte[] counter) throws RootOfTrustException {
        try {
            return Codec.of(CounterId.class).decode(counter);
        } catch (CodecException e) {
            throw notOurs();
        }
    }

    private static RootOfTrustException notOurs() {
        return new RootOfTrustException("this is no counter of a TPM 2.0 root of trust, or its identifier was changed");
    }

    private static byte[] publicArea(int index, int attributes) {
        return Structures.encode(new Structures.NvPublic(index, Structures.ALG_SHA256, attributes, NONE, Long.BYTES));
    }

    private static void checkLength(byte[] secret) {
        if (secret.length != SECRET_LENGTH) {
            throw new IllegalArgumentException(
                    "a counter's secret has " + SECRET_LENGTH + " bytes, not " + secret.length);
        }
    }

    private static String hex(int handle) {
        return String.format("0x%08X", handle);
    }
}
