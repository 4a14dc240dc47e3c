package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.MIGRATABLE;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.PARMS;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.security.SecureRandom;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaKeyGenerator;
import org.vtpm.crypto.RsaPrivateKey;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

class CmkTest {
    private static final int RESTRICT_MIGRATE = 4;
    private static final int RESTRICT_APPROVE = 5;
    private static final int CMK = MIGRATABLE | 0x10;
    private static final int ENC_DATA = 256;
    private static final byte[] NONE = {};

    /** The migration authority's key pair, outside of all TPMs. */
    private static final RsaPrivateKey AUTHORITY =
            new RsaKeyGenerator(JavaBigNumberProvider::new, new SecureRandom()).generate(2048, RsaPublicKey.F4);

    private static final byte[] AUTHORITY_SIGNS = authorityKey(1, 2);
    private static final byte[] MSA_LIST = concat(u32(2), Sha1.of(authorityKey(3, 1)), Sha1.of(AUTHORITY_SIGNS));

    private final TestTpm source = TestTpm.started();
    private final TestTpm target = TestTpm.started();
    private byte[] sourceSrk = {};
    private byte[] targetSrk = {};

    @BeforeEach
    void own() {
        sourceSrk = concat(PARMS, sized(GuestOwner.withNewEk(source).takeOwnership()));
        targetSrk = concat(PARMS, sized(GuestOwner.withNewEk(target).takeOwnership()));
    }

    @Test
    void aKeyGoesWhereItsAuthorityApproves() {
        byte[] wrapped = createKey().is(ReturnCode.SUCCESS).parameters();
        byte[] approval = approval(targetSrk, wrapped);
        byte[] out = createBlob(RESTRICT_APPROVE, targetSrk, wrapped, approval, ticket(source, approval))
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] random = Arrays.copyOfRange(out, 4, 4 + TestTpm.number(out, 0));
        byte[] blob = Arrays.copyOfRange(out, 4 + random.length, out.length);
        byte[] travelling = concat(Arrays.copyOf(wrapped, wrapped.length - ENC_DATA - 4), blob);
        byte[] arrived = convert(travelling, approval, ticket(target, approval), random)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] moved = concat(Arrays.copyOf(wrapped, wrapped.length - ENC_DATA - 4), arrived);
        int key = GuestKey.load(target, moved);
        target.authorized(target.oiap(USAGE_AUTH), false, "GetPubKey", u32(key)).is(ReturnCode.SUCCESS);

        convert(travelling, approval, ticket(source, approval), random).is(ReturnCode.MA_TICKET_SIGNATURE);
        byte[] elsewhere = approval(sourceSrk, wrapped);
        convert(travelling, elsewhere, ticket(target, elsewhere), random).is(ReturnCode.MA_DESTINATION);
        byte[] another = concat(Arrays.copyOf(approval, 40), new byte[20]);
        convert(travelling, another, ticket(target, another), random).is(ReturnCode.MA_SOURCE);
        convert(travelling, approval, ticket(target, approval), new byte[random.length])
                .is(ReturnCode.DECRYPT_ERROR);
    }

    @Test
    void aKeyGoesToItsAuthorityWithoutApproval() {
        byte[] wrapped = createKey().is(ReturnCode.SUCCESS).parameters();
        byte[] authority = authorityKey(3, 1);
        createBlob(RESTRICT_MIGRATE, authority, wrapped, NONE, NONE).is(ReturnCode.SUCCESS);
        createBlob(RESTRICT_MIGRATE, targetSrk, wrapped, NONE, NONE).is(ReturnCode.MA_TICKET_SIGNATURE);
        createBlob(RESTRICT_MIGRATE, authority, wrapped, new byte[60], NONE).is(ReturnCode.BAD_PARAMETER);
        createBlob(1, authority, wrapped, NONE, NONE).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void approvalsAreForOneKeyAndOneDestination() {
        byte[] wrapped = createKey().parameters();
        byte[] elsewhere = approval(sourceSrk, wrapped);
        createBlob(RESTRICT_APPROVE, targetSrk, wrapped, elsewhere, ticket(source, elsewhere))
                .is(ReturnCode.MA_DESTINATION);
        byte[] another = concat(Arrays.copyOf(approval(targetSrk, wrapped), 40), new byte[20]);
        createBlob(RESTRICT_APPROVE, targetSrk, wrapped, another, ticket(source, another))
                .is(ReturnCode.MA_SOURCE);
        byte[] unsigned = approval(targetSrk, wrapped);
        createBlob(RESTRICT_APPROVE, targetSrk, wrapped, unsigned, new byte[20]).is(ReturnCode.MA_TICKET_SIGNATURE);
    }

    @Test
    void onlyTheAuthoritiesOfAKeyDecideOverIt() {
        byte[] wrapped = createKey().parameters();
        createBlob(RESTRICT_MIGRATE, targetSrk, wrapped, NONE, NONE, concat(u32(1), Sha1.of(targetSrk)))
                .is(ReturnCode.MA_AUTHORITY);
        createBlob(RESTRICT_MIGRATE, targetSrk, wrapped, NONE, NONE, u32(0)).is(ReturnCode.INVALID_STRUCTURE);
        createBlob(RESTRICT_MIGRATE, targetSrk, wrapped, NONE, NONE, u32(-1)).is(ReturnCode.BAD_PARAM_SIZE);
        createBlob(RESTRICT_MIGRATE, targetSrk, wrapped, NONE, NONE, NONE).is(ReturnCode.BAD_PARAM_SIZE);
        byte[] ordinary =
                GuestKey.signing().withFlags(MIGRATABLE).create(source).parameters();
        createBlob(RESTRICT_MIGRATE, targetSrk, ordinary, NONE, NONE).is(ReturnCode.INVALID_STRUCTURE);
    }

    @Test
    void aCertifiableKeyIsMadeWithTheOwnersApproval() {
        byte[] approved = approve(Sha1.of(MSA_LIST));
        create(key(CMK), Handles.SRK, SRK_AUTH, new byte[20]).is(ReturnCode.MA_AUTHORITY);
        create(key(MIGRATABLE), Handles.SRK, SRK_AUTH, approved).is(ReturnCode.INVALID_KEYUSAGE);
        create(key(0x10), Handles.SRK, SRK_AUTH, approved).is(ReturnCode.INVALID_KEYUSAGE);
        create(GuestKey.signing().withFlags(CMK), Handles.SRK, SRK_AUTH, approved)
                .is(ReturnCode.INVALID_STRUCTURE);
        int movable = GuestKey.storage().withFlags(MIGRATABLE).load(source);
        create(key(CMK), movable, USAGE_AUTH, approved).is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void ticketsNeedASignatureThatVerifies() {
        byte[] digest = Sha1.of(u32(1));
        byte[] signature = sign(digest);
        createTicket(AUTHORITY_SIGNS, digest, signature).is(ReturnCode.SUCCESS);
        createTicket(AUTHORITY_SIGNS, Sha1.of(u32(2)), signature).is(ReturnCode.BAD_SIGNATURE);
        createTicket(AUTHORITY_SIGNS, digest, Arrays.copyOf(signature, 255)).is(ReturnCode.BAD_SIGNATURE);
        createTicket(authorityKey(3, 2), digest, signature).is(ReturnCode.INAPPROPRIATE_ENC);
        createTicket(authorityKey(1, 3), digest, signature).is(ReturnCode.INVALID_KEYUSAGE);
    }

    @Test
    void restrictionsAreTheOwnersAndGoWithIt() {
        source.authorized(source.oiap(SRK_AUTH), false, "CMK_SetRestrictions", u32(0x8000_0000))
                .is(ReturnCode.AUTHFAIL);
        source.authorized(source.oiap(OWNER_AUTH), false, "CMK_SetRestrictions", u32(0x8000_0000))
                .is(ReturnCode.SUCCESS);
        assertThat(restriction()).isEqualTo(0x8000_0000);
        source.powerCycle();
        source.startup(org.vtpm.api.engine.StartupMode.CLEAR);
        assertThat(restriction()).isEqualTo(0x8000_0000);
        source.authorized(source.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        assertThat(restriction()).isZero();
    }

    private int restriction() {
        return TestTpm.number(
                source.send("GetCapability", u32(5), sized(u32(0x11F))).parameters(), 4);
    }

    private static byte[] authorityKey(int enc, int sig) {
        byte[] parms = PARMS.clone();
        parms[5] = (byte) enc;
        parms[7] = (byte) sig;
        return concat(parms, sized(AUTHORITY.publicKey().modulus()));
    }

    private static GuestKey key(int flags) {
        return GuestKey.of12(KeyUsage.SIGNING, flags, 1, 1, 2, 512, new byte[0]);
    }

    private byte[] approve(byte[] msaDigest) {
        return source.authorized(source.oiap(OWNER_AUTH), false, "CMK_ApproveMA", msaDigest)
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private TestTpm.Response createKey() {
        return create(key(CMK), Handles.SRK, SRK_AUTH, approve(Sha1.of(MSA_LIST)));
    }

    private TestTpm.Response create(GuestKey key, int parent, byte[] parentAuth, byte[] approved) {
        TestTpm.GuestSession session = source.osap(EntityType.KEY_HANDLE, parent, parentAuth);
        return source.authorized(
                session,
                false,
                "CMK_CreateKey",
                u32(parent),
                source.encrypted(session, USAGE_AUTH),
                key.keyInfo(),
                approved,
                Sha1.of(MSA_LIST));
    }

    /** TPM_CMK_AUTH: the authority lets this key go there. */
    private static byte[] approval(byte[] destination, byte[] wrapped) {
        return concat(Sha1.of(AUTHORITY_SIGNS), Sha1.of(destination), sourceDigest(wrapped));
    }

    /** SHA-1 of the TPM_PUBKEY inside a TPM_KEY12 of 512 bits. */
    private static byte[] sourceDigest(byte[] wrapped) {
        int pcrInfo = 11 + PARMS.length;
        return Sha1.of(
                Arrays.copyOfRange(wrapped, 11, pcrInfo), Arrays.copyOfRange(wrapped, pcrInfo + 4, pcrInfo + 8 + 64));
    }

    private static byte[] sign(byte[] digest) {
        try {
            return new Rsa(JavaBigNumberProvider::new, new SecureRandom()).signSha1(AUTHORITY, digest);
        } catch (RsaException e) {
            throw new IllegalStateException(e);
        }
    }

    private TestTpm.Response createTicket(byte[] key, byte[] digest, byte[] signature) {
        return ticket(source, key, digest, signature);
    }

    private static byte[] ticket(TestTpm tpm, byte[] approval) {
        byte[] digest = Sha1.of(approval);
        return ticket(tpm, AUTHORITY_SIGNS, digest, sign(digest))
                .is(ReturnCode.SUCCESS)
                .parameters();
    }

    private static TestTpm.Response ticket(TestTpm tpm, byte[] key, byte[] digest, byte[] signature) {
        return tpm.authorized(tpm.oiap(OWNER_AUTH), false, "CMK_CreateTicket", key, digest, sized(signature));
    }

    private TestTpm.Response createBlob(
            int scheme, byte[] destination, byte[] wrapped, byte[] approval, byte[] ticket) {
        return createBlob(scheme, destination, wrapped, approval, ticket, MSA_LIST);
    }

    private TestTpm.Response createBlob(
            int scheme, byte[] destination, byte[] wrapped, byte[] approval, byte[] ticket, byte[] msaList) {
        byte[] authorized = source.authorized(
                        source.oiap(OWNER_AUTH), false, "AuthorizeMigrationKey", u16(scheme), destination)
                .is(ReturnCode.SUCCESS)
                .parameters();
        return source.authorized(
                source.oiap(SRK_AUTH),
                false,
                "CMK_CreateBlob",
                u32(Handles.SRK),
                u16(scheme),
                authorized,
                sourceDigest(wrapped),
                sized(msaList),
                sized(approval),
                sized(ticket),
                sized(Arrays.copyOfRange(wrapped, wrapped.length - ENC_DATA, wrapped.length)));
    }

    private TestTpm.Response convert(byte[] key, byte[] approval, byte[] ticket, byte[] random) {
        return target.authorized(
                target.oiap(SRK_AUTH),
                false,
                "CMK_ConvertMigration",
                u32(Handles.SRK),
                approval,
                ticket,
                key,
                sized(MSA_LIST),
                sized(random));
    }
}
