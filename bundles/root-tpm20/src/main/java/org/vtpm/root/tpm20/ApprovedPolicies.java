package org.vtpm.root.tpm20;

import java.util.List;
import java.util.Set;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrustException;

/** Adds signed PCR policies to blobs: in software alone, but for the reading of PCRs. */
final class ApprovedPolicies implements PlatformPolicies {
    private final Sealer sealer;

    ApprovedPolicies(Sealer sealer) {
        this.sealer = sealer;
    }

    @Override
    public List<PcrValue> pcrs(Set<Integer> indices) throws RootOfTrustException {
        return sealer.pcrs(PcrPolicy.of(indices));
    }

    @Override
    public Set<Integer> indices(byte[] sealed) throws RootOfTrustException {
        return Set.copyOf(SealedBlob.parse(sealed).pcrPolicy().registers().indices());
    }

    @Override
    public byte[] toSign(byte[] sealed, List<PcrValue> values) throws RootOfTrustException {
        PcrPolicy pcrs = withPcrs(SealedBlob.parse(sealed)).pcrPolicy();
        return pcrs.toSign(pcrs.registers().bytes(values));
    }

    @Override
    public byte[] approve(byte[] sealed, byte[] secret, List<PcrValue> values, byte[] signature)
            throws RootOfTrustException {
        SealedBlob blob = withPcrs(SealedBlob.parse(sealed));
        PcrPolicy pcrs = blob.pcrPolicy();
        byte[] bytes = pcrs.registers().bytes(values);
        if (!OperatorKey.of(blob.operatorKey()).verifies(pcrs.toSign(bytes), signature)) {
            throw new RootOfTrustException(
                    "that is no signature of the operator's key over this policy: sign exactly"
                            + " what was given to sign, with openssl dgst -sha256 -sign and the key that the secret is sealed to");
        }
        return blob.with(new SealedBlob.Approved(bytes, signature)).encode();
    }

    private static SealedBlob withPcrs(SealedBlob blob) throws RootOfTrustException {
        if (blob.pcrs() == 0) {
            throw new RootOfTrustException("this is sealed to the TPM only, and not to the state of the host:"
                    + " there is nothing to approve of");
        }
        return blob;
    }
}
