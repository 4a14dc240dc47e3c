package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * What requests are made of that the owner's TPM made, or that was made for it: wrapped keys, sealed data, tickets,
 * delegations. All of it stays good as long as the owner does.
 *
 * @param srk the modulus of the storage root key
 * @param keys wrapped keys below the storage root key
 * @param identity the TPM_PUBKEY of the identity
 * @param sealed data that is sealed to nothing
 * @param counter the number of the monotonic counter
 */
record Stock(
        BigInteger srk,
        Map<StockKey, byte[]> keys,
        byte[] identity,
        byte[] sealed,
        Map<Delegation, byte[]> delegations,
        Migration migration,
        Cmk cmk,
        int counter) {
    /** The length of what is encrypted for a key of 2048 bits. */
    static final int ENC_DATA = 256;

    static final byte[] NOTHING = {};

    private static final byte[] COVERED_DATA = {1, 2, 3};
    private static final int NO_ENCRYPTION = 1;
    private static final int SIGN_SHA1 = 2;
    private static final int CMK = 0x12;

    /** Delegations, by whom and for what. */
    enum Delegation {
        /** By the owner, in an enabled family. */
        OWNER(1, Situation.FAMILY, 1 << 18 | 1 << 1 | 1 << 2 | 1 << 5 | 1 << 24, 0x1F),
        /** By the owner, at localities 1 and 3. */
        OWNER_LOCAL(1, Situation.FAMILY, 1 << 18, 0x0A),
        /** By the owner, in a family that is locked. */
        OWNER_LOCKED(1, Situation.LOCKED_FAMILY, 1 << 18 | 1 << 1 | 1 << 2 | 1 << 5 | 1 << 24, 0x1F),
        /** By the owner, in a family that is disabled. */
        OWNER_DISABLED(1, Situation.DISABLED_FAMILY, 1 << 18, 0x1F),
        /** For the signing key, in an enabled family. */
        KEY(2, Situation.FAMILY, 1 << 14 | 1 << 7, 0x1F),
        KEY_LOCKED(2, Situation.LOCKED_FAMILY, 1 << 14 | 1 << 7, 0x1F),
        /** For the signing key, at localities 1 and 3. */
        KEY_LOCAL(2, Situation.FAMILY, 1 << 14, 0x0A);

        private final int type;
        private final int family;
        private final int permissions;
        private final int localities;

        Delegation(int type, int family, int permissions, int localities) {
            this.type = type;
            this.family = family;
            this.permissions = permissions;
            this.localities = localities;
        }

        /** TPM_DELEGATE_PUBLIC. */
        byte[] publicInfo() {
            return delegatePublic(type, family, permissions, localities);
        }
    }

    /**
     * A key on its way: what TPM_CreateMigrationBlob makes of the signing key.
     *
     * @param destination the TPM_MIGRATIONKEYAUTH of the migration key
     * @param random the pad
     * @param toRoot what it makes for the storage root key
     * @param toMigrate what it makes for the migration key
     */
    record Migration(byte[] destination, byte[] random, byte[] toRoot, byte[] toMigrate) {}

    /**
     * A certifiable migration key and what its authority says.
     *
     * @param approval the TPM's approval of the authority
     * @param destination the TPM_MIGRATIONKEYAUTH of the storage root key
     * @param restrictTicket the TPM_CMK_AUTH that lets the key go to the storage root key
     * @param sigTicket the TPM's confirmation that the authority signed that
     * @param random the pad
     * @param travelling the key on its way
     */
    record Cmk(
            byte[] approval,
            byte[] destination,
            byte[] restrictTicket,
            byte[] sigTicket,
            byte[] random,
            byte[] travelling) {
        static final SoftKey AUTHORITY = SoftKey.of(20, 2048, NO_ENCRYPTION, SIGN_SHA1);
        /** TPM_MSA_COMPOSITE of that one authority. */
        static final byte[] AUTHORITIES = concat(u32(1), sha1(AUTHORITY.pubkey()));
    }

    byte[] key(StockKey key) {
        return Objects.requireNonNull(keys.get(key));
    }

    /** The modulus of a key, as it stands in the key. */
    byte[] modulus(StockKey key) {
        byte[] whole = key(key);
        int size = Structures.endOfPcrInfo(whole);
        return Arrays.copyOfRange(
                whole, size + 4, size + 4 + ByteBuffer.wrap(whole).getInt(size));
    }

    /** What of a wrapped key is encrypted. */
    byte[] encData(StockKey key) {
        return tail(key(key));
    }

    byte[] delegation(Delegation delegation) {
        return Objects.requireNonNull(delegations.get(delegation));
    }

    static byte[] tail(byte[] blob) {
        return Arrays.copyOfRange(blob, blob.length - ENC_DATA, blob.length);
    }

    /** TPM_DELEGATE_PUBLIC, for everywhere. */
    static byte[] delegatePublic(int type, int family, int permissions) {
        return delegatePublic(type, family, permissions, 0x1F);
    }

    private static byte[] delegatePublic(int type, int family, int permissions, int localities) {
        return concat(
                u16(0x1B),
                u8(0),
                Structures.pcrInfoShort(Structures.pcrSelection(3), localities, zeros()),
                u16(0x1A),
                u32(type),
                u32(permissions),
                u32(0),
                u32(family),
                u32(1));
    }

    /** A TPM_KEY or TPM_KEY12 that asks for a key. */
    static byte[] template(String start, int usage, int flags, int encScheme, int sigScheme, int bits) {
        return concat(
                HexFormat.of().parseHex(start),
                u16(usage),
                u32(flags),
                u8(1),
                Structures.rsaParms(encScheme, sigScheme, bits),
                u32(0),
                u32(0),
                u32(0));
    }

    static byte[] identityTemplate() {
        return template("01010000", 0x12, 0, NO_ENCRYPTION, SIGN_SHA1, 2048);
    }

    static byte[] cmkTemplate() {
        return template("00280000", 0x10, CMK, NO_ENCRYPTION, SIGN_SHA1, 1024);
    }

    /** Has an owned TPM make it all. */
    static Stock of(Tpm12Client tpm) throws IOException {
        byte[] srkPub = owner(tpm, Ordinal.OWNER_READ_INTERNAL_PUB, u32(Structures.SRK));
        BigInteger srk = Structures.modulus(srkPub, 0);
        Map<StockKey, byte[]> keys = new HashMap<>();
        for (StockKey key : StockKey.FROM_OUTSIDE) {
            keys.put(key, key.wrapped(srk));
        }
        keys.put(StockKey.FIXED, create(tpm, template("01010000", 0x10, 0, NO_ENCRYPTION, SIGN_SHA1, 1024)));
        byte[] signing = StockKey.SIGN.wrapped(srk);
        byte[] identity = identity(tpm);
        keys.put(StockKey.IDENTITY, identity);
        byte[] identityModulus =
                Arrays.copyOfRange(identity, identity.length - 2 * ENC_DATA - 4, identity.length - ENC_DATA - 4);
        byte[] approval = owner(tpm, Ordinal.CMK_APPROVE_MA, sha1(Cmk.AUTHORITIES));
        byte[] certifiable = certifiable(tpm, approval);
        keys.put(StockKey.CMK, certifiable);
        return new Stock(
                srk,
                keys,
                concat(Structures.rsaParms(NO_ENCRYPTION, SIGN_SHA1, 2048), sized(identityModulus)),
                sealed(tpm),
                delegations(tpm, signing),
                migration(tpm, srkPub, tail(signing)),
                cmk(tpm, srkPub, approval, certifiable),
                counter(tpm));
    }

    private static byte[] owner(Tpm12Client tpm, Ordinal ordinal, byte[] parameters) throws IOException {
        return tpm.execute(ordinal, parameters, Auth.once(tpm.oiap(), Secrets.owner()))
                .orFail()
                .body();
    }

    private static Session osap(Tpm12Client tpm) throws IOException {
        return tpm.osap(Structures.ET_SRK, Structures.SRK, Secrets.srk());
    }

    private static byte[] create(Tpm12Client tpm, byte[] template) throws IOException {
        Session session = osap(tpm);
        byte[] parameters = concat(session.encrypt(Secrets.key()), zeros(), template);
        return tpm.execute(Ordinal.CREATE_WRAP_KEY, u32(Structures.SRK), parameters, Auth.once(session, Secrets.srk()))
                .orFail()
                .body();
    }

    private static byte[] identity(Tpm12Client tpm) throws IOException {
        Session owner = tpm.osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner());
        byte[] body = tpm.execute(
                        Ordinal.MAKE_IDENTITY,
                        concat(owner.encrypt(Secrets.key()), zeros(), identityTemplate()),
                        Auth.once(tpm.oiap(), Secrets.srk()),
                        Auth.once(owner, Secrets.owner()))
                .orFail()
                .body();
        return Arrays.copyOf(body, body.length - 4 - ENC_DATA);
    }

    private static byte[] sealed(Tpm12Client tpm) throws IOException {
        Session session = osap(tpm);
        return tpm.execute(
                        Ordinal.SEAL,
                        u32(Structures.SRK),
                        concat(session.encrypt(Secrets.data()), u32(0), sized(COVERED_DATA)),
                        Auth.once(session, Secrets.srk()))
                .orFail()
                .body();
    }

    private static Map<Delegation, byte[]> delegations(Tpm12Client tpm, byte[] signing) throws IOException {
        int key = tpm.execute(Ordinal.LOAD_KEY2, u32(Structures.SRK), signing, Auth.once(tpm.oiap(), Secrets.srk()))
                .orFail()
                .u32(0);
        Map<Delegation, byte[]> delegations = new EnumMap<>(Delegation.class);
        for (Delegation delegation : Delegation.values()) {
            Response made;
            if (delegation.type == 1) {
                Session session = tpm.osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner());
                byte[] rest = concat(delegation.publicInfo(), session.encrypt(Secrets.delegate()));
                made = tpm.execute(
                        Ordinal.DELEGATE_CREATE_OWNER_DELEGATION,
                        concat(u8(0), rest),
                        Auth.once(session, Secrets.owner()));
            } else {
                Session session = tpm.osap(Structures.ET_KEY_HANDLE, key, Secrets.key());
                byte[] rest = concat(delegation.publicInfo(), session.encrypt(Secrets.delegate()));
                made = tpm.execute(
                        Ordinal.DELEGATE_CREATE_KEY_DELEGATION, u32(key), rest, Auth.once(session, Secrets.key()));
            }
            byte[] body = made.orFail().body();
            delegations.put(delegation, Arrays.copyOfRange(body, 4, body.length));
        }
        return delegations;
    }

    private static Migration migration(Tpm12Client tpm, byte[] srkPub, byte[] encData) throws IOException {
        byte[] destination = owner(
                tpm,
                Ordinal.AUTHORIZE_MIGRATION_KEY,
                concat(u16(1), StockKey.MIGRATE.pair().pubkey()));
        byte[] root = owner(tpm, Ordinal.AUTHORIZE_MIGRATION_KEY, concat(u16(1), srkPub));
        byte[] toRoot = migrate(tpm, root, encData);
        return new Migration(
                destination,
                Arrays.copyOfRange(toRoot, 4, toRoot.length - 4 - ENC_DATA),
                tail(toRoot),
                tail(migrate(tpm, destination, encData)));
    }

    private static byte[] migrate(Tpm12Client tpm, byte[] destination, byte[] encData) throws IOException {
        return tpm.execute(
                        Ordinal.CREATE_MIGRATION_BLOB,
                        u32(Structures.SRK),
                        concat(u16(1), destination, sized(encData)),
                        Auth.once(tpm.oiap(), Secrets.srk()),
                        Auth.once(tpm.oiap(), Secrets.migration()))
                .orFail()
                .body();
    }

    private static byte[] certifiable(Tpm12Client tpm, byte[] approval) throws IOException {
        Session session = osap(tpm);
        byte[] parameters = concat(session.encrypt(Secrets.key()), cmkTemplate(), approval, sha1(Cmk.AUTHORITIES));
        return tpm.execute(Ordinal.CMK_CREATE_KEY, u32(Structures.SRK), parameters, Auth.once(session, Secrets.srk()))
                .orFail()
                .body();
    }

    /** SHA-1 of the TPM_PUBKEY of a certifiable key. */
    static byte[] sourceDigest(byte[] certifiable) {
        int parms = 11;
        int pcrInfo = parms + Structures.rsaParms(NO_ENCRYPTION, SIGN_SHA1, 1024).length;
        return sha1(
                Arrays.copyOfRange(certifiable, parms, pcrInfo),
                Arrays.copyOfRange(certifiable, pcrInfo + 4, pcrInfo + 8 + 128));
    }

    private static Cmk cmk(Tpm12Client tpm, byte[] srkPub, byte[] approval, byte[] certifiable) throws IOException {
        byte[] destination = owner(tpm, Ordinal.AUTHORIZE_MIGRATION_KEY, concat(u16(5), srkPub));
        byte[] source = sourceDigest(certifiable);
        byte[] restrictTicket = concat(sha1(Cmk.AUTHORITY.pubkey()), sha1(srkPub), source);
        byte[] digest = sha1(restrictTicket);
        byte[] sigTicket = owner(
                tpm,
                Ordinal.CMK_CREATE_TICKET,
                concat(Cmk.AUTHORITY.pubkey(), digest, sized(Cmk.AUTHORITY.sign(digest))));
        byte[] body = tpm.execute(
                        Ordinal.CMK_CREATE_BLOB,
                        u32(Structures.SRK),
                        concat(
                                u16(5),
                                destination,
                                source,
                                sized(Cmk.AUTHORITIES),
                                sized(restrictTicket),
                                sized(sigTicket),
                                sized(tail(certifiable))),
                        Auth.once(tpm.oiap(), Secrets.srk()))
                .orFail()
                .body();
        return new Cmk(
                approval,
                destination,
                restrictTicket,
                sigTicket,
                Arrays.copyOfRange(body, 4, body.length - 4 - ENC_DATA),
                concat(Arrays.copyOf(certifiable, certifiable.length - ENC_DATA), tail(body)));
    }

    /** The one counter that there is. */
    private static int counter(Tpm12Client tpm) throws IOException {
        for (int number = 0; number < 16; number++) {
            if (tpm.execute(Ordinal.READ_COUNTER, u32(number)).ok()) {
                return number;
            }
        }
        throw new IOException("no counter was created");
    }
}
