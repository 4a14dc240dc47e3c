package org.vtpm.root.tpm12;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.crypto.Sha1;
import org.vtpm.hosttpm.HostTpmException;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.StoredData;

/**
 * Seals secrets under the storage root key. A TPM 1.2 cannot check an operator's signature: where PCRs are in the terms, there
 * is a sealed copy of the secret for each state that was approved, and none before the first was.
 */
final class Sealer {
    private static final int LONGEST_SECRET = 64;
    private static final byte[] NO_PCRS = {};

    // What is sealed has the well-known authorization value. Another one would have to lie in the blob, where who has
    // the
    // blob has it too.
    private static final byte[] WELL_KNOWN = new byte[Sha1.LENGTH];

    private final Sequences sequences;
    private volatile @Nullable StorageRootKey known;

    Sealer(Sequences sequences) {
        this.sequences = sequences;
    }

    byte[] seal(byte[] secret, SealingTerms terms) throws RootOfTrustException {
        checkLength(secret);
        Pcrs pcrs = Pcrs.of(terms.pcrs());
        if (pcrs.isEmpty() != (terms.operatorKey().length == 0)) {
            throw new RootOfTrustException("PCRs and the operator's key that approves their values belong together:"
                    + " give both, or neither");
        }
        if (!pcrs.isEmpty()) {
            OperatorKey.of(terms.operatorKey());
        }
        return sequences.run(tpm -> {
            StorageRootKey key = StorageRootKey.enroll(tpm, terms.ownerAuth(), terms.takeOwnership());
            known = key;
            // A PCR that the TPM does not have would show only when the first policy is approved.
            pcrs.read(tpm);
            List<SealedBlob.Copy> copies =
                    pcrs.isEmpty() ? List.of(SealedBlob.Copy.ofAnyState(seal(tpm, secret, NO_PCRS))) : List.of();
            return SealedBlob.of(key, pcrs, terms.operatorKey(), copies).encode();
        });
    }

    byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        checkLength(secret);
        SealedBlob blob = SealedBlob.parse(sealed);
        return sequences.run(tpm -> {
            StorageRootKey key;
            if (ownerAuth.length == 0) {
                // Nobody vouches for another TPM than the one that is recorded.
                key = blob.storageRootKey();
                key.trusted(tpm);
            } else {
                key = StorageRootKey.enroll(tpm, ownerAuth, false);
            }
            known = key;
            List<SealedBlob.Copy> copies = new ArrayList<>();
            for (SealedBlob.Copy old : blob.copies()) {
                StoredData data = seal(tpm, secret, sealInfo(blob.selection(), old.values()));
                copies.add(new SealedBlob.Copy(old.values(), old.signature(), data));
            }
            return SealedBlob.of(key, blob.selection(), blob.operatorKey(), copies)
                    .encode();
        });
    }

    /** The blob with a copy of the secret for values that the operator signed. */
    SealedBlob approved(SealedBlob blob, byte[] secret, byte[] values, byte[] signature) throws RootOfTrustException {
        checkLength(secret);
        return sequences.run(tpm -> {
            trust(tpm, blob);
            StoredData data = seal(tpm, secret, sealInfo(blob.selection(), values));
            return blob.with(new SealedBlob.Copy(values, signature, data));
        });
    }

    byte[] unseal(byte[] sealed) throws RootOfTrustException {
        SealedBlob blob = SealedBlob.parse(sealed);
        return sequences.run(tpm -> {
            trust(tpm, blob);
            byte[] values = blob.selection().read(tpm);
            Examination examination = compare(blob, values);
            if (!examination.opens()) {
                throw new RootOfTrustException(String.join("; ", examination.problems()));
            }
            SealedBlob.Copy copy = blob.copies().stream()
                    .filter(each -> Arrays.equals(each.values(), values))
                    .findFirst()
                    .orElseThrow();
            return unseal(tpm, copy.data());
        });
    }

    Examination examine(byte[] sealed) {
        SealedBlob blob;
        try {
            blob = SealedBlob.parse(sealed);
        } catch (RootOfTrustException e) {
            return new Examination(List.of(String.valueOf(e.getMessage())), List.of(), 0);
        }
        try {
            return sequences.run(tpm -> {
                trust(tpm, blob);
                return compare(blob, blob.selection().read(tpm));
            });
        } catch (RootOfTrustException e) {
            return new Examination(List.of(String.valueOf(e.getMessage())), List.of(), blob.approved());
        }
    }

    /** Reads PCRs: from the TPM that was enrolled and no other, once this object has seen a blob that names it. */
    List<PcrValue> pcrs(Pcrs pcrs) throws RootOfTrustException {
        StorageRootKey key = known;
        return sequences.run(tpm -> {
            if (key != null) {
                key.trusted(tpm);
            }
            return pcrs.registers().values(pcrs.read(tpm));
        });
    }

    private void trust(Tpm tpm, SealedBlob blob) throws HostTpmException, RefusedException, RootOfTrustException {
        StorageRootKey key = blob.storageRootKey();
        key.trusted(tpm);
        known = key;
    }

    private static byte[] sealInfo(Pcrs pcrs, byte[] values) {
        return pcrs.isEmpty() ? NO_PCRS : Structures.encode(pcrs.sealInfo(values));
    }

    private static StoredData seal(Tpm tpm, byte[] secret, byte[] pcrInfo)
            throws HostTpmException, RefusedException, RootOfTrustException {
        Session srk = tpm.osap(EntityType.SRK, Handles.SRK, tpm.srkSecret());
        return tpm.call(
                        Structures.Sealed.class,
                        Command.SEAL,
                        new Structures.Seal(Handles.SRK, srk.insert(WELL_KNOWN), pcrInfo, secret),
                        srk)
                .sealedData();
    }

    private static byte[] unseal(Tpm tpm, StoredData data)
            throws HostTpmException, RefusedException, RootOfTrustException {
        try {
            return tpm.call(
                            Structures.Secret.class,
                            Command.UNSEAL,
                            new Structures.Unseal(Handles.SRK, data),
                            tpm.oiap(tpm.srkSecret()),
                            tpm.oiap(WELL_KNOWN))
                    .secret();
        } catch (RefusedException e) {
            if (e.isAboutTheTpm()) {
                throw e;
            }
            throw new RootOfTrustException(
                    e.is(ReturnCode.WRONGPCRVAL)
                            ? "PCRs changed while the secret was opened: try again when the host has come up"
                            : "the sealed data was changed or damaged: put back what was sealed (" + e.getMessage()
                                    + ")",
                    e);
        }
    }

    private static void checkLength(byte[] secret) throws RootOfTrustException {
        if (secret.length == 0 || secret.length > LONGEST_SECRET) {
            throw new RootOfTrustException(
                    "a secret of " + secret.length + " bytes cannot be sealed: 1 to " + LONGEST_SECRET);
        }
    }

    /** What keeps the blob closed while PCRs have these values. */
    private static Examination compare(SealedBlob blob, byte[] values) {
        return blob.pcrs() == 0
                ? new Examination(List.of(), List.of(), 0)
                : blob.selection()
                        .registers()
                        .examine(
                                values,
                                blob.copies().stream()
                                        .map(SealedBlob.Copy::values)
                                        .toList());
    }
}
