package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.structure.Algorithm;
import org.vtpm.engine.tpm12.structure.CertifyInfo;
import org.vtpm.engine.tpm12.structure.KeyFlag;
import org.vtpm.engine.tpm12.structure.KeyUsage;
import org.vtpm.engine.tpm12.structure.PayloadType;
import org.vtpm.engine.tpm12.structure.PcrInfo;
import org.vtpm.engine.tpm12.structure.PcrInfoShort;
import org.vtpm.engine.tpm12.structure.PcrSelection;
import org.vtpm.engine.tpm12.structure.ReturnCode;

/**
 * One key signs what another is (TPM Main Part 3, sections 13.6 and 13.7). The two commands name their keys in opposite
 * order, and their authorisation blocks too; one block alone belongs to the key that is named last. It fails with AUTHFAIL
 * then, as the specification has it; libtpms says AUTH2FAIL.
 */
public final class CertificationChapter implements Chapter {
    /** The PCRs that version 1.1 knows. */
    private static final int PCRS_11 = 16;

    record CertifyKey(
            int certHandle, int keyHandle, @Fixed(20) byte[] antiReplay) {}

    record CertifyKey2(
            int keyHandle,
            int certHandle,
            @Fixed(20) byte[] migrationPubDigest,
            @Fixed(20) byte[] antiReplay) {}

    record Certified(CertifyInfo certifyInfo, @Sized byte[] outData) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("CertifyKey", CertifyKey.class, CertificationChapter::certifyKey);
        handlers.on("CertifyKey2", CertifyKey2.class, CertificationChapter::certifyKey2);
    }

    private static Record certifyKey(Transaction tx, CertifyKey request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey signer = Keys.usable(tx, request.certHandle());
        LoadedKey key = Keys.readable(tx, request.keyHandle());
        requireScheme(signer);
        if (authorizations.count() == 2) {
            authorizations.verify(0, signer);
        } else {
            Keys.requireNoAuthorization(signer);
        }
        if (authorizations.count() == 0) {
            Keys.requireNoReadAuthorization(key);
        } else {
            authorizations.verify(authorizations.count() - 1, key);
        }
        require(key.payload() == PayloadType.ASYM, ReturnCode.INVALID_KEYUSAGE);
        require(
                signer.key().keyUsage() != KeyUsage.IDENTITY || !key.key().is(KeyFlag.MIGRATABLE),
                ReturnCode.MIGRATEFAIL);
        requireUsages(signer, key);
        return certified(tx, signer, info(key, request.antiReplay()));
    }

    private static Record certifyKey2(Transaction tx, CertifyKey2 request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey key = Keys.readable(tx, request.keyHandle());
        LoadedKey signer = Keys.usable(tx, request.certHandle());
        requireScheme(signer);
        if (authorizations.count() == 2) {
            authorizations.verify(0, key);
        } else {
            Keys.requireNoReadAuthorization(key);
        }
        if (authorizations.count() == 0) {
            Keys.requireNoAuthorization(signer);
        } else {
            authorizations.verify(authorizations.count() - 1, signer);
        }
        boolean restricted =
                key.payload() == PayloadType.MIGRATE_RESTRICTED || key.payload() == PayloadType.MIGRATE_EXTERNAL;
        require(
                signer.key().keyUsage() != KeyUsage.IDENTITY
                        || !key.key().is(KeyFlag.MIGRATABLE)
                        || (key.key().is(KeyFlag.MIGRATE_AUTHORITY) && restricted),
                ReturnCode.MIGRATEFAIL);
        requireUsages(signer, key);
        byte[] authority = restricted ? migrationAuthority(tx, key, request.migrationPubDigest()) : new byte[0];
        return certified(
                tx,
                signer,
                CertifyInfo.Info2.of(
                        key.key(),
                        request.antiReplay(),
                        key.parentPcrStatus(),
                        restricted ? key.payload() : PayloadType.ASYM,
                        authority));
    }

    /** Verifies that these authorities decide over a key, and gives what stands for them in its certificate. */
    private static byte[] migrationAuthority(Transaction tx, LoadedKey key, byte[] msaDigest) {
        byte[] expected = CmkTickets.migrationAuth(
                tx, msaDigest, CmkTickets.digest(key.key().publicKey()));
        require(Secrets.equal(expected, key.migrationAuth()), ReturnCode.MA_SOURCE);
        return Sha1.of(msaDigest, new byte[] {(byte) key.payload()});
    }

    private static void requireScheme(LoadedKey signer) {
        Signature.requireScheme(
                signer,
                ReturnCode.BAD_KEY_PROPERTY,
                Algorithm.SS_RSASSAPKCS1V15_SHA1,
                Algorithm.SS_RSASSAPKCS1V15_INFO);
    }

    private static void requireUsages(LoadedKey signer, LoadedKey key) {
        Keys.requireUsage(signer, KeyUsage.SIGNING, KeyUsage.IDENTITY, KeyUsage.LEGACY);
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.STORAGE, KeyUsage.IDENTITY, KeyUsage.BIND, KeyUsage.LEGACY);
    }

    /** TPM_CERTIFY_INFO, unless the key depends on what version 1.1 did not know: more PCRs, or localities. */
    private static CertifyInfo info(LoadedKey key, byte[] antiReplay) {
        PcrInfoShort release = key.key().release();
        if (release != null
                && (release.localityAtRelease() != PcrInfoShort.ALL_LOCALITIES
                        || release.pcrSelection().indices().anyMatch(pcr -> pcr >= PCRS_11))) {
            return CertifyInfo.Info2.of(key.key(), antiReplay, key.parentPcrStatus(), PayloadType.ASYM, new byte[0]);
        }
        return CertifyInfo.Info.of(key.key(), antiReplay, key.parentPcrStatus(), pcrInfo(release));
    }

    /** A selection of two bytes, whatever the key's has: TPM_CERTIFY_INFO is to hold 44 bytes of it. */
    private static @Nullable PcrInfo pcrInfo(@Nullable PcrInfoShort release) {
        return release == null
                ? null
                : new PcrInfo(
                        new PcrSelection(Arrays.copyOf(release.pcrSelection().select(), PCRS_11 / Byte.SIZE)),
                        release.digestAtRelease(),
                        new byte[Sha1.LENGTH]);
    }

    private static Record certified(Transaction tx, LoadedKey signer, CertifyInfo info) {
        return new Certified(info, Signature.ofDigest(tx, signer, info.digest()));
    }
}
