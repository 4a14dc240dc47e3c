package org.vtpm.root.tpm20;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;
import org.vtpm.hosttpm.HostTpmException;

/**
 * Seals secrets as objects below the storage key. Without PCRs an object has an empty authorization value: who has the TPM and
 * the blob opens it. With PCRs it opens by its policy only: PolicyAuthorize of the operator's key, over PolicyPCR.
 * Neither kind counts for the TPM's defence against dictionary attacks, so that no failure here locks it out.
 */
final class Sealer {
    private static final int LONGEST_SECRET = 64;
    private static final int ATTRIBUTES =
            Structures.FIXED_TPM | Structures.FIXED_PARENT | Structures.ADMIN_WITH_POLICY | Structures.NO_DA;
    private static final byte[] NONE = {};

    private final Sequences sequences;
    private volatile @Nullable SealedBlob known;

    Sealer(Sequences sequences) {
        this.sequences = sequences;
    }

    byte[] seal(byte[] secret, SealingTerms terms) throws RootOfTrustException {
        if (secret.length == 0 || secret.length > LONGEST_SECRET) {
            throw new RootOfTrustException(
                    "a secret of " + secret.length + " bytes cannot be sealed: 1 to " + LONGEST_SECRET);
        }
        PcrPolicy pcrs = PcrPolicy.of(terms.pcrs());
        if (terms.pcrs().isEmpty() != (terms.operatorKey().length == 0)) {
            throw new RootOfTrustException("PCRs and the operator's key that approves their values belong together:"
                    + " give both, or neither");
        }
        OperatorKey operator = terms.pcrs().isEmpty() ? null : OperatorKey.of(terms.operatorKey());
        SealedBlob blob;
        try (Handle owner = Handle.bare(Handle.OWNER, terms.ownerAuth())) {
            blob = sequences.run(tpm -> {
                StorageKey storageKey = StorageKey.enroll(tpm, owner);
                if (operator != null) {
                    // A key or bank that the TPM does not have would show only when nothing opens any more.
                    tpm.flush(load(tpm, operator));
                    pcrs.read(tpm);
                }
                Structures.Created object = create(tpm, storageKey, secret, operator);
                return SealedBlob.of(
                        StorageKey.endorsement(tpm),
                        storageKey.publicArea(),
                        object.publicArea(),
                        object.privateArea(),
                        pcrs,
                        terms.operatorKey());
            });
        }
        known = blob;
        return blob.encode();
    }

    byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        SealedBlob old = SealedBlob.parse(sealed);
        SealingTerms terms = new SealingTerms(
                Set.copyOf(old.pcrPolicy().registers().indices()), old.operatorKey(), ownerAuth, false);
        // The signatures are over values of PCRs, and do not care which secret or TPM they release.
        return SealedBlob.parse(seal(secret, terms)).with(old.policies()).encode();
    }

    byte[] unseal(byte[] sealed) throws RootOfTrustException {
        SealedBlob blob = SealedBlob.parse(sealed);
        return sequences.run(tpm -> {
            StorageKey storageKey = storageKey(tpm, blob);
            if (blob.pcrs() == 0) {
                return unseal(tpm, null, object(tpm, storageKey, blob));
            }
            byte[] values = blob.pcrPolicy().read(tpm);
            Examination examination = compare(blob, values);
            if (!examination.opens()) {
                throw new RootOfTrustException(String.join("; ", examination.problems()));
            }
            Session policy = fulfilled(tpm, blob, values);
            return unseal(tpm, policy, object(tpm, storageKey, blob));
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
                object(tpm, storageKey(tpm, blob), blob);
                return blob.pcrs() == 0
                        ? new Examination(List.of(), List.of(), 0)
                        : compare(blob, blob.pcrPolicy().read(tpm));
            });
        } catch (RootOfTrustException e) {
            return new Examination(
                    List.of(String.valueOf(e.getMessage())),
                    List.of(),
                    blob.policies().size());
        }
    }

    /** Reads PCRs: from the TPM that was enrolled and no other, once this object has seen a blob that names it. */
    List<PcrValue> pcrs(PcrPolicy pcrs) throws RootOfTrustException {
        SealedBlob blob = known;
        return sequences.run(tpm -> {
            if (blob != null) {
                storageKey(tpm, blob);
            }
            return pcrs.registers().values(pcrs.read(tpm));
        });
    }

    private StorageKey storageKey(Tpm tpm, SealedBlob blob)
            throws HostTpmException, RefusedException, RootOfTrustException {
        StorageKey key = StorageKey.recorded(tpm, blob.storageKey(), blob.storagePublic(), blob.endorsement());
        known = blob;
        return key;
    }

    private static Structures.Created create(
            Tpm tpm, StorageKey storageKey, byte[] secret, @Nullable OperatorKey operator)
            throws HostTpmException, RefusedException, RootOfTrustException {
        Structures.SealedPublic template = new Structures.SealedPublic(
                Structures.ALG_SHA256,
                operator == null ? ATTRIBUTES | Structures.USER_WITH_AUTH : ATTRIBUTES,
                operator == null ? NONE : PcrPolicy.authorizeDigest(operator.name()),
                Structures.ALG_NULL,
                NONE);
        byte[] sensitive = Structures.encode(new Structures.SensitiveCreate(NONE, secret));
        byte[] parameters =
                Structures.encode(new Structures.Create(sensitive, Structures.encode(template), NONE, List.of()));
        try {
            Structures.Created created = Tpm.decode(
                    CommandCode.CREATE,
                    Structures.Created.class,
                    tpm.call(CommandCode.CREATE, parameters, storageKey.asHandle())
                            .parameters());
            return created;
        } finally {
            Secrets.zero(sensitive, parameters);
        }
    }

    /** Loads the sealed object. */
    private static Handle object(Tpm tpm, StorageKey storageKey, SealedBlob blob)
            throws HostTpmException, RefusedException, RootOfTrustException {
        try {
            Tpm.Response response = tpm.call(
                    CommandCode.LOAD,
                    Structures.encode(new Structures.Load(blob.privateArea(), blob.publicArea())),
                    storageKey.asHandle());
            return Handle.named(response.handle(), Structures.name(blob.publicArea()));
        } catch (RefusedException e) {
            ResponseCode code = e.code();
            boolean temporary = code != null && code.words() != null && code != ResponseCode.INTEGRITY;
            if (temporary) {
                throw e;
            }
            throw new RootOfTrustException(
                    "the sealed object was changed or damaged: put back what was sealed (" + e.getMessage() + ")", e);
        }
    }

    private static byte[] unseal(Tpm tpm, @Nullable Session policy, Handle object)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] parameters = (policy == null
                        ? tpm.call(CommandCode.UNSEAL, NONE, object)
                        : tpm.call(policy, CommandCode.UNSEAL, NONE, object))
                .parameters();
        try {
            return Tpm.decode(CommandCode.UNSEAL, Structures.Buffer.class, parameters)
                    .bytes();
        } finally {
            Secrets.zero(parameters);
        }
    }

    /** A policy session in which the approved policy for the present values is fulfilled. */
    private static Session fulfilled(Tpm tpm, SealedBlob blob, byte[] values)
            throws HostTpmException, RefusedException, RootOfTrustException {
        SealedBlob.Approved approved = blob.policies().stream()
                .filter(each -> Arrays.equals(each.values(), values))
                .findFirst()
                .orElseThrow();
        OperatorKey operator = OperatorKey.of(blob.operatorKey());
        PcrPolicy pcrs = blob.pcrPolicy();
        byte[] message = pcrs.toSign(values);
        int key = load(tpm, operator);
        Structures.Ticket ticket = Tpm.decode(
                CommandCode.VERIFY_SIGNATURE,
                Structures.Ticket.class,
                tpm.call(
                                CommandCode.VERIFY_SIGNATURE,
                                verifySignature(message, operator.tpmSignature(approved.signature())),
                                Handle.named(key, operator.name()))
                        .parameters());
        tpm.flush(key);
        Session policy = tpm.startPolicy();
        tpm.call(CommandCode.POLICY_PCR, Structures.encode(pcrs.parameters(values)), policy.asHandle());
        tpm.call(
                CommandCode.POLICY_AUTHORIZE,
                Structures.encode(new Structures.PolicyAuthorize(
                        pcrs.digest(values), PcrPolicy.POLICY_REF, operator.name(), ticket)),
                policy.asHandle());
        return policy;
    }

    private static byte[] verifySignature(byte[] message, byte[] signature) {
        byte[] digest = Structures.encode(new Structures.Buffer(Sha256.of(message)));
        byte[] parameters = Arrays.copyOf(digest, digest.length + signature.length);
        System.arraycopy(signature, 0, parameters, digest.length, signature.length);
        return parameters;
    }

    /** Loads the operator's public key; tickets of the owner hierarchy count, unlike those of the null hierarchy. */
    private static int load(Tpm tpm, OperatorKey operator)
            throws HostTpmException, RefusedException, RootOfTrustException {
        byte[] parameters = Structures.encode(new Structures.LoadExternal(NONE, operator.publicArea(), Handle.OWNER));
        try {
            Tpm.Response response = tpm.call(CommandCode.LOAD_EXTERNAL, parameters);
            byte[] name = Tpm.decode(CommandCode.LOAD_EXTERNAL, Structures.Buffer.class, response.parameters())
                    .bytes();
            if (!Arrays.equals(name, operator.name())) {
                throw Tpm.noResponse(CommandCode.LOAD_EXTERNAL, "the key has another name");
            }
            return response.handle();
        } catch (RefusedException e) {
            if (e.code() == null || e.is(ResponseCode.VALUE)) {
                throw new RootOfTrustException(
                        "the TPM cannot use the operator's key: every TPM 2.0 knows RSA of 2048 bits and EC on P-256 ("
                                + e.getMessage() + ")",
                        e);
            }
            throw e;
        }
    }

    /** What keeps the blob closed while PCRs have these values. */
    private static Examination compare(SealedBlob blob, byte[] values) {
        return blob.pcrPolicy()
                .registers()
                .examine(
                        values,
                        blob.policies().stream()
                                .map(SealedBlob.Approved::values)
                                .toList());
    }
}
