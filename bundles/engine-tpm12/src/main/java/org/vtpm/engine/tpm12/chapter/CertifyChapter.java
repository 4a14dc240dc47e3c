package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Codec;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyFlag;
import org.vtpm.tpm12.structure.KeyFlags;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.PayloadType;
import org.vtpm.tpm12.structure.PcrInfo;
import org.vtpm.tpm12.structure.PcrInfoShort;
import org.vtpm.tpm12.structure.PcrSelection;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Keys that say what other keys are (TPM Main Part 3, sections 13.8 and 13.9). */
public final class CertifyChapter implements Chapter {
    /** The PCRs that TPM_CERTIFY_INFO, the form of version 1.1, can name. */
    private static final int FIRST_FORM_BYTES = 2;

    record CertifyKey(
            int certHandle, int keyHandle, @Fixed(20) byte[] antiReplay) {}

    record CertifyKey2(
            int keyHandle,
            int certHandle,
            @Fixed(20) byte[] migrationPubDigest,
            @Fixed(20) byte[] antiReplay) {}

    /** What is signed: TPM_CERTIFY_INFO or TPM_CERTIFY_INFO2. */
    sealed interface Certified {}

    /** TPM_CERTIFY_INFO (TPM Main Part 2, section 11.1), behind the first half of its version. */
    @Tag(0x0101)
    record CertifyInfo(
            @U16 int revision,
            @U16 int keyUsage,
            KeyFlags keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Fixed(20) byte[] pubkeyDigest,
            @Fixed(20) byte[] data,
            boolean parentPcrStatus,
            @Sized @Nullable PcrInfo pcrInfo)
            implements Certified {}

    /** TPM_CERTIFY_INFO2 (TPM Main Part 2, section 11.2). */
    @Tag(0x0029)
    record CertifyInfo2(
            @U8 int fill,
            @U8 int payloadType,
            @U16 int keyUsage,
            KeyFlags keyFlags,
            @U8 int authDataUsage,
            KeyParms algorithmParms,
            @Fixed(20) byte[] pubkeyDigest,
            @Fixed(20) byte[] data,
            boolean parentPcrStatus,
            @Sized @Nullable PcrInfoShort pcrInfo,
            @Sized byte[] migrationAuthority)
            implements Certified {}

    record Certificate(Certified certifyInfo, @Sized byte[] sig) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("CertifyKey", CertifyKey.class, CertifyChapter::certifyKey);
        handlers.on("CertifyKey2", CertifyKey2.class, CertifyChapter::certifyKey2);
    }

    /** One authorisation block alone is that of the certified key. */
    private static Record certifyKey(Transaction tx, CertifyKey request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey certifier = Keys.usable(tx, request.certHandle());
        LoadedKey key = Keys.readable(tx, request.keyHandle());
        requireScheme(certifier);
        if (authorizations.count() == 2) {
            authorizations.verify(0, certifier);
        } else {
            Keys.requireNoAuthorization(certifier);
        }
        if (authorizations.count() > 0) {
            authorizations.verify(authorizations.count() - 1, key, ReturnCode.AUTH2FAIL);
        } else {
            Keys.requireNoReadAuthorization(key);
        }
        require(key.payload() == PayloadType.ASYM, ReturnCode.INVALID_KEYUSAGE);
        requireFixedBelowIdentity(certifier, key);
        requireUsages(certifier, key);
        PcrInfoShort release = key.key().release();
        return signed(
                tx,
                certifier,
                needsSecondForm(release)
                        ? second(key, request.antiReplay(), new byte[0])
                        : first(key, request.antiReplay(), release));
    }

    /** One authorisation block alone is that of the certifying key. */
    private static Record certifyKey2(Transaction tx, CertifyKey2 request) {
        Authorizations authorizations = tx.authorizations();
        LoadedKey key = Keys.readable(tx, request.keyHandle());
        LoadedKey certifier = Keys.usable(tx, request.certHandle());
        requireScheme(certifier);
        if (authorizations.count() == 2) {
            authorizations.verify(0, key);
        } else {
            Keys.requireNoReadAuthorization(key);
        }
        if (authorizations.count() > 0) {
            authorizations.verify(authorizations.count() - 1, certifier, ReturnCode.AUTH2FAIL);
        } else {
            Keys.requireNoAuthorization(certifier);
        }
        byte[] authority = {};
        if (!certifiable(key)) {
            requireFixedBelowIdentity(certifier, key);
        }
        requireUsages(certifier, key);
        switch (key.payload()) {
            case PayloadType.MIGRATE_RESTRICTED, PayloadType.MIGRATE_EXTERNAL -> {
                byte[] migrationAuth = CmkTickets.migrationAuth(
                        tx,
                        request.migrationPubDigest(),
                        CmkTickets.digest(key.key().publicKey()));
                require(Secrets.equal(migrationAuth, key.migrationAuth()), ReturnCode.MA_SOURCE);
                authority = Sha1.of(request.migrationPubDigest(), new byte[] {(byte) key.payload()});
            }
            case PayloadType.ASYM -> {}
            default -> throw new TpmException(ReturnCode.INVALID_KEYUSAGE);
        }
        return signed(tx, certifier, second(key, request.antiReplay(), authority));
    }

    /** As in libtpms before any authorisation. */
    private static void requireScheme(LoadedKey certifier) {
        Signature.requireScheme(
                certifier,
                ReturnCode.BAD_KEY_PROPERTY,
                Algorithm.SS_RSASSAPKCS1V15_SHA1,
                Algorithm.SS_RSASSAPKCS1V15_INFO);
    }

    private static void requireUsages(LoadedKey certifier, LoadedKey key) {
        Keys.requireUsage(certifier, KeyUsage.SIGNING, KeyUsage.IDENTITY, KeyUsage.LEGACY);
        Keys.requireUsage(key, KeyUsage.SIGNING, KeyUsage.STORAGE, KeyUsage.IDENTITY, KeyUsage.BIND, KeyUsage.LEGACY);
    }

    private static boolean certifiable(LoadedKey key) {
        return key.payload() == PayloadType.MIGRATE_RESTRICTED || key.payload() == PayloadType.MIGRATE_EXTERNAL;
    }

    /** An identity vouches for this TPM, which a key that can leave it is no part of. */
    private static void requireFixedBelowIdentity(LoadedKey certifier, LoadedKey key) {
        require(
                certifier.key().keyUsage() != KeyUsage.IDENTITY || !key.key().is(KeyFlag.MIGRATABLE),
                ReturnCode.MIGRATEFAIL);
    }

    /** Whether a key is bound to what version 1.1 did not know: PCRs from 16 on, or localities. */
    private static boolean needsSecondForm(@Nullable PcrInfoShort release) {
        return release != null
                && (release.localityAtRelease() != PcrInfoShort.ALL_LOCALITIES
                        || release.pcrSelection().indices().anyMatch(pcr -> pcr >= FIRST_FORM_BYTES * Byte.SIZE));
    }

    static Certified first(LoadedKey loaded, byte[] antiReplay, @Nullable PcrInfoShort release) {
        return new CertifyInfo(
                0,
                loaded.key().keyUsage(),
                loaded.key().keyFlags(),
                loaded.key().authDataUsage(),
                loaded.key().algorithmParms(),
                modulusDigest(loaded),
                antiReplay,
                loaded.parentPcrStatus(),
                release == null
                        ? null
                        : new PcrInfo(
                                new PcrSelection(
                                        Arrays.copyOf(release.pcrSelection().select(), FIRST_FORM_BYTES)),
                                release.digestAtRelease(),
                                new byte[Sha1.LENGTH]));
    }

    private static Certified second(LoadedKey loaded, byte[] antiReplay, byte[] migrationAuthority) {
        return new CertifyInfo2(
                0,
                loaded.payload(),
                loaded.key().keyUsage(),
                loaded.key().keyFlags(),
                loaded.key().authDataUsage(),
                loaded.key().algorithmParms(),
                modulusDigest(loaded),
                antiReplay,
                loaded.parentPcrStatus(),
                loaded.key().release(),
                migrationAuthority);
    }

    private static byte[] modulusDigest(LoadedKey loaded) {
        return Sha1.of(loaded.key().pubKey().key());
    }

    private static Record signed(Transaction tx, LoadedKey certifier, Certified info) {
        return new Certificate(info, sign(tx, certifier, info));
    }

    /** The signature over what is certified. */
    static byte[] sign(Transaction tx, LoadedKey certifier, Certified info) {
        return Signature.ofDigest(
                tx, certifier, Sha1.of(Codec.of(Certified.class).encode(info)));
    }
}
