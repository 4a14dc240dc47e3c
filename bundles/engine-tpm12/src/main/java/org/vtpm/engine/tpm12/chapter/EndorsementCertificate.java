package org.vtpm.engine.tpm12.chapter;

import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Rest;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.NvArea;
import org.vtpm.engine.tpm12.state.PermanentFlags.Flag;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.tpm12.structure.NvAttributes;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvDataPublic;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;

/**
 * The certificate of the endorsement key in NV, wrapped as software on a PC expects it (TCG PC Client Specific
 * Implementation Specification 1.2). Manufacturers put it there while NV is not locked; guests may read and
 * replace it as the attributes say, which are those that swtpm_setup gives it.
 */
public final class EndorsementCertificate {
    /** TCG_PCCLIENT_STORED_CERT. */
    @Tag(0x1001)
    record StoredCert(@U8 int certType, @Sized(prefix = 2) byte[] cert) {}

    /** TCG_FULL_CERT. */
    @Tag(0x1002)
    record FullCert(@Rest byte[] certificate) {}

    /** TCG_PCCLIENT_FULL_CERT: the certificate itself, not its digest. */
    private static final int FULL = 0;

    private EndorsementCertificate() {}

    /**
     * Adds the area to a TPM that is being made. It costs none of the NV writes that a TPM allows without an owner.
     *
     * @param certificate the DER of an X.509 certificate
     * @throws EngineStateException if NV is locked or has no room for it
     */
    public static PermanentState install(PermanentState state, byte[] certificate) throws EngineStateException {
        if (state.flags().is(Flag.NV_LOCKED)) {
            throw new EngineStateException("NV of this TPM 1.2 is locked: its manufacture has ended");
        }
        byte[] data = Codec.of(StoredCert.class)
                .encode(new StoredCert(FULL, Codec.of(FullCert.class).encode(new FullCert(certificate))));
        NvDataPublic pub = publicArea(data.length);
        PermanentState without = state.withoutNvArea(pub.nvIndex());
        if (!NvSpace.fits(without, pub)) {
            throw new EngineStateException(
                    "a certificate of " + certificate.length + " bytes does not fit into NV of this TPM 1.2");
        }
        return without.withNvArea(new NvArea(pub, new byte[Sha1.LENGTH], data));
    }

    /** What {@link #install} added, or a guest put in its place; null if that is nothing, or not wrapped like it. */
    public static byte @Nullable [] read(PermanentState state) {
        NvArea area = state.nvArea(NvIndex.EK_CERTIFICATE);
        if (area == null) {
            return null;
        }
        try {
            StoredCert stored = Codec.of(StoredCert.class).decode(area.data());
            return stored.certType() == FULL
                    ? Codec.of(FullCert.class).decode(stored.cert()).certificate()
                    : null;
        } catch (CodecException e) {
            return null;
        }
    }

    private static NvDataPublic publicArea(int size) {
        PcrInfoShort anywhere = new PcrInfoShort(
                new PcrSelection(new byte[PcrSelection.MAX_BYTES]), PcrInfoShort.ALL_LOCALITIES, new byte[Sha1.LENGTH]);
        NvAttributes permission = NvAttributes.of(Permission.OWNERREAD, Permission.OWNERWRITE);
        return new NvDataPublic(NvIndex.EK_CERTIFICATE, anywhere, anywhere, permission, false, false, false, size);
    }
}
