package org.vtpm.engine.tpm12.chapter;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.chapter.Identification.CapVersionInfo;
import org.vtpm.engine.tpm12.chapter.Identification.StructVer;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.ReturnCode;

/** Signing the values of PCRs (TPM Main Part 3, sections 16.3 and 16.5). */
public final class QuoteChapter implements Chapter {
    private static final byte[] NO_VERSION = {};

    record Quote(int keyHandle, @Fixed(20) byte[] externalData, PcrSelection targetPcr) {}

    record Quote2(int keyHandle, @Fixed(20) byte[] externalData, PcrSelection targetPcr, boolean addVersion) {}

    /** TPM_PCR_COMPOSITE (TPM Main Part 2, section 8.2): the values follow each other by rising index. */
    record PcrComposite(PcrSelection select, @Sized byte[] pcrValue) {}

    record Quoted(PcrComposite pcrData, @Sized byte[] sig) {}

    record Quoted2(
            PcrInfoShort pcrData,
            @Sized @Nullable CapVersionInfo versionInfo,
            @Sized byte[] sig) {}

    /** TPM_QUOTE_INFO (TPM Main Part 2, section 11.3). */
    record QuoteInfo(
            StructVer version,
            @Fixed(4) byte[] fixed,
            @Fixed(20) byte[] digestValue,
            @Fixed(20) byte[] externalData) {}

    /** TPM_QUOTE_INFO2 (TPM Main Part 2, section 11.4). */
    @Tag(0x0036)
    record QuoteInfo2(@Fixed(4) byte[] fixed, @Fixed(20) byte[] externalData, PcrInfoShort infoShort) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("Quote", Quote.class, QuoteChapter::quote);
        handlers.on("Quote2", Quote2.class, QuoteChapter::quote2);
    }

    private static Record quote(Transaction tx, Quote request) {
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Signature.requireSigner(key);
        PcrSelection selection = request.targetPcr();
        QuoteInfo info = new QuoteInfo(
                Identification.structVer(),
                ascii("QUOT"),
                PcrConditions.current(tx, selection),
                request.externalData());
        byte[] signature =
                Signature.ofDigest(tx, key, Sha1.of(Codec.of(QuoteInfo.class).encode(info)));
        return new Quoted(
                new PcrComposite(selection, PcrConditions.values(tx.stClear().pcrs(), selection)), signature);
    }

    private static Record quote2(Transaction tx, Quote2 request) {
        LoadedKey key = Keys.use(tx, request.keyHandle());
        Signature.requireScheme(key, ReturnCode.INAPPROPRIATE_SIG, Algorithm.SS_RSASSAPKCS1V15_SHA1);
        Signature.requireSigner(key);
        PcrInfoShort pcrs = new PcrInfoShort(
                request.targetPcr(), 1 << tx.locality(), PcrConditions.current(tx, request.targetPcr()));
        QuoteInfo2 info = new QuoteInfo2(ascii("QUT2"), request.externalData(), pcrs);
        CapVersionInfo version = request.addVersion() ? Identification.versionInfo() : null;
        byte[] encodedVersion =
                version == null ? NO_VERSION : Codec.of(CapVersionInfo.class).encode(version);
        byte[] digest = Sha1.of(Codec.of(QuoteInfo2.class).encode(info), encodedVersion);
        return new Quoted2(pcrs, version, Signature.ofDigest(tx, key, digest));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
