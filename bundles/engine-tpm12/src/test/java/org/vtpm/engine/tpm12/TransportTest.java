package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestTransport.ANTI_REPLAY;
import static org.vtpm.engine.tpm12.GuestTransport.ENCRYPT;
import static org.vtpm.engine.tpm12.GuestTransport.EXCLUSIVE;
import static org.vtpm.engine.tpm12.GuestTransport.LOG;
import static org.vtpm.engine.tpm12.GuestTransport.SECRET;
import static org.vtpm.engine.tpm12.GuestTransport.transPublic;
import static org.vtpm.engine.tpm12.TestTpm.AUTH1;
import static org.vtpm.engine.tpm12.TestTpm.COMMAND;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.GuestTransport.Scheme;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.engine.tpm12.TestTpm.Response;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ReturnCode;

/** Commands that come wrapped in transport sessions. */
class TransportTest {
    private static final int KEY = 1;
    private static final int AUTH = 2;
    private static final int TRANSPORT = 4;
    private static final int NEVER = 0;
    private static final int RELEASE_OUT = 36;
    private static final int FREE_TRANSPORTS = 0x10B;
    private static final int FREE_SESSIONS = 0x11D;
    private static final byte[] DIGEST = Sha1.of(u8(91));
    private static final byte[] BLOCK = new byte[64];

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @ParameterizedTest
    @EnumSource(value = Scheme.class, mode = EnumSource.Mode.EXCLUDE, names = "PLAIN")
    void whatIsWrappedIsEncrypted(Scheme scheme) {
        GuestTransport transport = GuestTransport.encrypted(tpm, scheme, 0, parent());
        byte[] extended = Sha1.of(new byte[20], DIGEST);
        assertThat(transport
                        .send("Extend", u32(16), DIGEST)
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(extended);
        byte[] clear = TestTpm.command(COMMAND, "Extend", u32(16), DIGEST);
        assertThat(Arrays.copyOf(transport.lastRequest, 10)).isEqualTo(Arrays.copyOf(clear, 10));
        assertThat(hex(transport.lastRequest)).doesNotContain(hex(DIGEST));
        assertThat(hex(transport.lastResponse)).doesNotContain(hex(extended));
        assertThat(tpm.send("PcrRead", u32(16)).parameters()).isEqualTo(extended);
        assertThat(transport.send("PcrRead", u32(16)).parameters()).isEqualTo(extended);
        assertThat(transport.send("GetRandom", u32(300)).parameters()).hasSize(304);
    }

    @ParameterizedTest
    @EnumSource(Scheme.class)
    void aWrappedCommandBringsItsOwnAuthorization(Scheme scheme) {
        GuestTransport transport = scheme == Scheme.PLAIN
                ? GuestTransport.plain(tpm, 0)
                : GuestTransport.encrypted(tpm, scheme, 0, parent());
        GuestSession session = tpm.oiap(OWNER_AUTH);
        Response flags = transport.authorized(session, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        assertThat(flags.parameters()).hasSize(12);
        transport.authorized(session, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
        int key = GuestKey.signing().load(tpm);
        GuestSession keys = tpm.oiap(USAGE_AUTH);
        assertThat(transport
                        .authorized(keys, "Sign", u32(key), sized(DIGEST))
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .hasSize(4 + 64);
    }

    @Test
    void handlesStayAsTheyAre() {
        GuestTransport transport = GuestTransport.encrypted(tpm, Scheme.MGF1, 0, parent());
        byte[] opened = transport.send("OIAP").is(ReturnCode.SUCCESS).parameters();
        assertThat(hex(transport.lastResponse)).contains(hex(opened));
        tpm.send("FlushSpecific", u32(number(opened, 0)), u32(AUTH)).is(ReturnCode.SUCCESS);
        byte[] request = concat(u16(4), u32(Handles.SRK), DIGEST);
        transport.send("OSAP", request).is(ReturnCode.SUCCESS);
        assertThat(hex(transport.lastRequest)).contains(hex(request));
        byte[] wrapped = GuestKey.signing().withAuthDataUsage(NEVER).create(tpm).parameters();
        GuestSession session = tpm.oiap(GuestOwner.SRK_AUTH);
        int key = number(
                transport
                        .authorized(session, "LoadKey2", u32(Handles.SRK), wrapped)
                        .is(ReturnCode.SUCCESS)
                        .parameters(),
                0);
        assertThat(hex(transport.lastRequest)).doesNotContain(hex(wrapped));
        tpm.send("GetPubKey", u32(key)).is(ReturnCode.SUCCESS);
    }

    @Test
    void theFailureOfAWrappedCommandIsNotThatOfTheSession() {
        GuestTransport transport = GuestTransport.encrypted(tpm, Scheme.CTR, 0, parent());
        transport.send("PcrRead", u32(99)).is(ReturnCode.BADINDEX);
        GuestSession session = tpm.oiap(DIGEST);
        transport.authorized(session, "OwnerSetDisable", u8(1)).is(ReturnCode.AUTHFAIL);
        assertThat(transport.open).isTrue();
        transport.authorized(session, "OwnerSetDisable", u8(1)).is(ReturnCode.INVALID_AUTHHANDLE);
        assertThat(failures()).as("counted by the lockout").isEqualTo(1);
        transport.send("GetTicks").is(ReturnCode.SUCCESS);
    }

    @Test
    void theSessionGoesOnUntilTheGuestSaysOtherwise() {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        transport.send("GetTicks").is(ReturnCode.SUCCESS);
        assertThat(transport.open).isTrue();
        transport.sendLast("GetTicks").is(ReturnCode.SUCCESS);
        assertThat(transport.open).isFalse();
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
        assertThat(property(FREE_TRANSPORTS)).isEqualTo(16);
    }

    @Test
    void whoDoesNotKnowTheSecretEndsTheSessionAndIsNotCounted() {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        transport.send(TestTpm.command(COMMAND, "GetTicks"), true, DIGEST).is(ReturnCode.AUTH2FAIL);
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
        assertThat(failures()).isZero();
    }

    @Test
    void anAuthorizationSessionIsNoTransportSession() {
        GuestSession session = tpm.oiap(OWNER_AUTH);
        byte[] block = concat(u32(session.handle), DIGEST, u8(1), DIGEST);
        byte[] request = sized(TestTpm.command(COMMAND, "GetTicks"));
        tpm.send(0, AUTH1, "ExecuteTransport", request, block).is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.authorized(session, true, "GetCapabilityOwner").is(ReturnCode.SUCCESS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"EstablishTransport", "ExecuteTransport", "ReleaseTransportSigned"})
    void transportSessionsAreNotNested(String name) {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        execute(transport, name, u32(Handles.TRANSPORT)).is(ReturnCode.NO_WRAP_TRANSPORT);
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void whatIsNoCommandIsNotExecuted() {
        byte[] pcrRead = TestTpm.command(COMMAND, "PcrRead", u32(0));
        refused(new byte[0], ReturnCode.BAD_PARAMETER);
        refused(Arrays.copyOf(pcrRead, 9), ReturnCode.BAD_PARAMETER);
        refused(Arrays.copyOf(pcrRead, 13), ReturnCode.BAD_PARAM_SIZE);
        refused(HexFormat.of().parseHex("00c10000000a00000007"), ReturnCode.BAD_PARAMETER);
        refused(TestTpm.command(COMMAND, "FieldUpgrade"), ReturnCode.BAD_PARAMETER);
        refused(TestTpm.command(COMMAND, "EvictKey", u16(0)), ReturnCode.BAD_PARAMETER);
        refused(TestTpm.command(AUTH1, "GetCapabilityOwner"), ReturnCode.BAD_PARAMETER);
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        transport
                .wrapped("PcrRead", transport.send(TestTpm.command(0xC7, "PcrRead", u32(0)), true, SECRET))
                .is(ReturnCode.BADTAG);
        transport.send("PcrRead", u16(0)).is(ReturnCode.BAD_PARAM_SIZE);
    }

    @Test
    void aResponseThatDoesNotFitUndoesTheCommand() {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        execute(transport, "GetRandom", u32(4096)).is(ReturnCode.SIZE);
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void aWrappedCommandIsUndoneIfItCannotBeStored() {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        GuestSession session = tpm.oiap(OWNER_AUTH);
        tpm.storeFails = true;
        byte[] odd = Sha1.of(session.nonceEven);
        byte[] digest = Sha1.of(GuestTransport.ordinal("OwnerSetDisable"), u8(1));
        byte[] auth = Hmac.sha1(session.key, digest, session.nonceEven, odd, u8(1));
        byte[] request = TestTpm.command(AUTH1, "OwnerSetDisable", u8(1), u32(session.handle), odd, u8(1), auth);
        transport.send(request, true, SECRET).is(ReturnCode.IOERROR);
        tpm.storeFails = false;
        tpm.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS);
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void whatAWrappedCommandStoresOutlivesThePower() {
        GuestTransport transport = GuestTransport.encrypted(tpm, Scheme.OFB, 0, parent());
        int stores = tpm.stores;
        transport.authorized(tpm.oiap(OWNER_AUTH), "DisableOwnerClear").is(ReturnCode.SUCCESS);
        assertThat(tpm.stores).isEqualTo(stores + 1);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.CLEAR_DISABLED);
    }

    @ParameterizedTest
    @EnumSource(Scheme.class)
    void theLogIsSigned(Scheme scheme) throws GeneralSecurityException {
        int signing = signer();
        int other =
                GuestKey.of(KeyUsage.SIGNING, 0, NEVER, 1, 2, 1024, new byte[0]).load(tpm);
        byte[] srk = publicKey(tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadInternalPub", u32(Handles.SRK))
                .is(ReturnCode.SUCCESS)
                .parameters());
        GuestTransport transport = scheme == Scheme.PLAIN
                ? GuestTransport.plain(tpm, LOG)
                : GuestTransport.encrypted(tpm, scheme, LOG, parent());
        byte[] first = publicKey(tpm.send("GetPubKey", u32(signing)).parameters());
        byte[] second = publicKey(tpm.send("GetPubKey", u32(other)).parameters());

        transport.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        transport.noted();
        transport.send("PcrRead", u32(99)).is(ReturnCode.BADINDEX);
        transport.noted();
        transport.send("OSAP", u16(4), u32(Handles.SRK), DIGEST).is(ReturnCode.SUCCESS);
        transport.noted();
        transport.send("GetPubKey", u32(signing)).is(ReturnCode.SUCCESS);
        transport.noted(first);
        transport.send("CertifyKey", u32(signing), u32(other), DIGEST).is(ReturnCode.SUCCESS);
        transport.noted(first, second);
        transport
                .authorized(tpm.oiap(OWNER_AUTH), "OwnerReadInternalPub", u32(Handles.EK))
                .is(ReturnCode.SUCCESS);
        transport.noted(publicKey(tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerReadInternalPub", u32(Handles.EK))
                .parameters()));
        transport.send("EvictKey", u32(Handles.SRK)).is(ReturnCode.INVALID_KEYHANDLE);
        transport.noted(srk);
        transport
                .send("FlushSpecific", u32(tpm.oiap(OWNER_AUTH).handle), u32(AUTH))
                .is(ReturnCode.SUCCESS);
        transport.noted();
        transport.send("FlushSpecific", u32(other), u32(KEY)).is(ReturnCode.SUCCESS);
        transport.noted(second);

        Response response = release(transport, signing, SECRET);
        byte[] signed = transport.released(response);
        byte[] out = response.parameters();
        assertThat(verifies(first, signed, Arrays.copyOfRange(out, RELEASE_OUT + 4, RELEASE_OUT + 4 + 128)))
                .isTrue();
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void theLogNeedsTheKeysOfTheCommand() {
        refusedWhenLogged(ReturnCode.INVALID_KEYHANDLE, "GetPubKey", u32(77));
        refusedWhenLogged(ReturnCode.INVALID_RESOURCE, "EvictKey", u32(Handles.OWNER));
        refusedWhenLogged(ReturnCode.INVALID_KEYHANDLE, "FlushSpecific", u32(77), u32(KEY));
        refusedWhenLogged(ReturnCode.BAD_PARAM_SIZE, "FlushSpecific", u32(77));
        GuestTransport.plain(tpm, 0).send("GetPubKey", u32(77)).is(ReturnCode.INVALID_KEYHANDLE);
        GuestTransport.plain(tpm, LOG).send("FlushSpecific", u32(77), u32(AUTH)).is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void onlyTheSessionsOwnerHasItsLogSigned() {
        int signing = signer();
        release(GuestTransport.plain(tpm, LOG), signing, DIGEST).is(ReturnCode.AUTH2FAIL);
        release(GuestTransport.plain(tpm, 0), signing, SECRET).is(ReturnCode.BAD_MODE);
        release(GuestTransport.plain(tpm, LOG), 77, SECRET).is(ReturnCode.INVALID_KEYHANDLE);
        int legacy =
                GuestKey.of(KeyUsage.LEGACY, 0, NEVER, 3, 2, 2048, new byte[0]).load(tpm);
        release(GuestTransport.plain(tpm, LOG), legacy, SECRET).is(ReturnCode.INVALID_KEYUSAGE);
        int der =
                GuestKey.of(KeyUsage.SIGNING, 0, NEVER, 1, 3, 1024, new byte[0]).load(tpm);
        release(GuestTransport.plain(tpm, LOG), der, SECRET).is(ReturnCode.INAPPROPRIATE_SIG);
        int secret = GuestKey.signing().load(tpm);
        release(GuestTransport.plain(tpm, LOG), secret, SECRET).is(ReturnCode.AUTHFAIL);
        assertThat(property(FREE_TRANSPORTS)).as("each ended its session").isEqualTo(16);
    }

    @Test
    void theKeyThatSignsTheLogIsAuthorizedFirst() {
        int key = GuestKey.of(KeyUsage.SIGNING, 0, 1, 1, 2, 1024, new byte[0]).load(tpm);
        GuestTransport transport = GuestTransport.plain(tpm, LOG);
        releaseBoth(transport, key, DIGEST, DIGEST).is(ReturnCode.AUTHFAIL);
        transport = GuestTransport.plain(tpm, LOG);
        releaseBoth(transport, key, USAGE_AUTH, DIGEST).is(ReturnCode.AUTH2FAIL);
        transport = GuestTransport.plain(tpm, LOG);
        Response response = releaseBoth(transport, key, USAGE_AUTH, SECRET).is(ReturnCode.SUCCESS);
        assertThat(response.tag()).isEqualTo(0xC6);
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void anyOtherCommandEndsAnExclusiveSession() {
        GuestTransport exclusive = GuestTransport.plain(tpm, EXCLUSIVE);
        exclusive.send("GetTicks").is(ReturnCode.SUCCESS);
        exclusive.send("PcrRead", u32(99)).is(ReturnCode.BADINDEX);
        tpm.send("PcrRead", u32(99)).is(ReturnCode.BADINDEX);
        execute(exclusive, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);

        GuestTransport other = GuestTransport.plain(tpm, 0);
        GuestTransport second = GuestTransport.plain(tpm, EXCLUSIVE);
        other.send("GetTicks").is(ReturnCode.SUCCESS);
        execute(second, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
        other.send("GetTicks").is(ReturnCode.SUCCESS);

        GuestTransport third = GuestTransport.plain(tpm, EXCLUSIVE);
        GuestTransport fourth = GuestTransport.plain(tpm, EXCLUSIVE);
        fourth.send("GetTicks").is(ReturnCode.SUCCESS);
        execute(third, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
        execute(fourth, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void aSha1ThreadBelongsToItsSession() {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        GuestTransport other = GuestTransport.plain(tpm, 0);
        byte[] update = sized(BLOCK);
        byte[] nothing = sized(new byte[0]);
        transport.send("SHA1Start").is(ReturnCode.SUCCESS);
        transport.send("SHA1Update", update).is(ReturnCode.SUCCESS);
        assertThat(transport
                        .send("SHA1Complete", nothing)
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(Sha1.of(BLOCK));

        transport.send("SHA1Start").is(ReturnCode.SUCCESS);
        tpm.send("SHA1Update", update).is(ReturnCode.SHA_THREAD);
        transport.send("SHA1Start").is(ReturnCode.SUCCESS);
        other.send("SHA1Update", update).is(ReturnCode.SHA_THREAD);
        transport.send("SHA1Update", update).is(ReturnCode.SHA_THREAD);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        transport.send("SHA1Update", update).is(ReturnCode.SHA_THREAD);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        transport.send("GetTicks").is(ReturnCode.SUCCESS);
        tpm.send("SHA1Complete", nothing).is(ReturnCode.SHA_THREAD);
    }

    @Test
    void aSha1ThreadOutlivesATransportThatCarriesNothing() {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        tpm.send("SHA1Start").is(ReturnCode.SUCCESS);
        transport.send(TestTpm.command(COMMAND, "GetTicks"), true, DIGEST).is(ReturnCode.AUTH2FAIL);
        tpm.send("SHA1Complete", sized(new byte[0])).is(ReturnCode.SUCCESS);
    }

    @Test
    void aSessionMayEndItself() {
        GuestTransport transport = GuestTransport.plain(tpm, LOG);
        transport.send("FlushSpecific", u32(transport.handle), u32(TRANSPORT)).is(ReturnCode.SUCCESS);
        assertThat(transport.open).isFalse();
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
        tpm.send("FlushSpecific", u32(transport.handle), u32(TRANSPORT)).is(ReturnCode.INVALID_AUTHHANDLE);
    }

    @Test
    void clearingTheOwnerEndsAllSessions() {
        GuestTransport.plain(tpm, 0);
        GuestTransport transport = GuestTransport.encrypted(tpm, Scheme.MGF1, 0, parent());
        transport.authorized(tpm.oiap(OWNER_AUTH), "OwnerClear").is(ReturnCode.SUCCESS);
        assertThat(transport.open).isFalse();
        assertThat(handles()).isEqualTo("0000");
    }

    @Test
    void sessionsAreSavedWithTheState() {
        GuestTransport transport = GuestTransport.encrypted(tpm, Scheme.MGF1, LOG, parent());
        transport.send("SaveState").is(ReturnCode.NO_WRAP_TRANSPORT);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        tpm.powerCycle();
        tpm.startup(StartupMode.STATE);
        assertThat(handles()).isEqualTo("0001" + hex(u32(transport.handle)));
        assertThat(transport.send("PcrRead", u32(0)).is(ReturnCode.SUCCESS).parameters())
                .isEqualTo(new byte[20]);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        assertThat(handles()).isEqualTo("0000");
    }

    @Test
    void thereIsRoomFor16Sessions() {
        int first = GuestTransport.plain(tpm, 0).handle;
        for (int i = 1; i < 16; i++) {
            GuestTransport.plain(tpm, 0);
        }
        assertThat(property(FREE_TRANSPORTS)).isZero();
        assertThat(property(FREE_SESSIONS)).isEqualTo(16);
        establish(Handles.TRANSPORT, transPublic(0, 0, 0), SECRET).is(ReturnCode.RESOURCES);
        tpm.send("FlushSpecific", u32(first), u32(TRANSPORT)).is(ReturnCode.SUCCESS);
        establish(Handles.TRANSPORT, transPublic(0, 0, 0), SECRET).is(ReturnCode.SUCCESS);
    }

    @Test
    void aPlainSecretEncryptsNothing() {
        establish(Handles.TRANSPORT, transPublic(ENCRYPT, 7, 1), SECRET).is(ReturnCode.BAD_SCHEME);
        establish(Handles.TRANSPORT, transPublic(0, 0, 0), new byte[19]).is(ReturnCode.BAD_PARAM_SIZE);
        establish(Handles.TRANSPORT, concat(u16(0x1F), new byte[10]), SECRET).is(ReturnCode.INVALID_STRUCTURE);
        tpm.authorized(
                        tpm.oiap(OWNER_AUTH),
                        false,
                        "EstablishTransport",
                        u32(Handles.TRANSPORT),
                        transPublic(0, 0, 0),
                        sized(SECRET))
                .is(ReturnCode.BADTAG);
    }

    @Test
    void onlySomeAlgorithmsEncrypt() {
        int key = parent();
        byte[] secret = GuestTransport.encryptedSecret(tpm, key);
        establish(key, transPublic(ENCRYPT, 7, 2), secret).is(ReturnCode.INAPPROPRIATE_ENC);
        establish(key, transPublic(ENCRYPT, 6, 1), secret).is(ReturnCode.INAPPROPRIATE_ENC);
        establish(key, transPublic(ENCRYPT, 8, 4), secret).is(ReturnCode.BAD_KEY_PROPERTY);
        establish(key, transPublic(ENCRYPT, 10, 1), secret).is(ReturnCode.BAD_KEY_PROPERTY);
        establish(key, transPublic(0, 99, 99), secret).is(ReturnCode.SUCCESS);
    }

    @Test
    void theSecretComesEncryptedForAStorageKey() {
        byte[] session = transPublic(ENCRYPT, 7, 1);
        int key = parent();
        byte[] pubkey = tpm.send("GetPubKey", u32(key)).parameters();
        establish(key, session, DIGEST).is(ReturnCode.DECRYPT_ERROR);
        establish(key, session, GuestKey.encrypt(pubkey, concat(u16(0x1E), SECRET)))
                .is(ReturnCode.INVALID_STRUCTURE);
        establish(key, session, GuestKey.encrypt(pubkey, u16(0x1D))).is(ReturnCode.BAD_PARAM_SIZE);
        establish(77, session, SECRET).is(ReturnCode.INVALID_KEYHANDLE);
        establish(Handles.SRK, session, SECRET).is(ReturnCode.AUTHFAIL);
        establish(GuestKey.bind(1024).load(tpm), session, SECRET).is(ReturnCode.INVALID_KEYUSAGE);
        byte[] secret = GuestTransport.encryptedSecret(tpm, key);
        tpm.authorized(tpm.oiap(DIGEST), false, "EstablishTransport", u32(key), session, sized(secret))
                .is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(USAGE_AUTH), false, "EstablishTransport", u32(key), session, sized(secret))
                .is(ReturnCode.SUCCESS);
    }

    @Test
    void anAuditOfEncryptedCommandsShowsNothingOfThem() {
        GuestTransport transport = GuestTransport.encrypted(tpm, Scheme.CTR, 0, parent());
        audit("Extend");
        audit("ExecuteTransport");
        byte[] before = auditDigest();
        transport.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        byte[] extend = GuestTransport.ordinal("Extend");
        byte[] inner = audited(before, Sha1.of(extend), Sha1.of(u32(0), extend));
        assertThat(auditDigest()).isEqualTo(audited(inner, transport.requestDigest, transport.responseDigest));
    }

    @Test
    void anAuditOfPlainWrappedCommandsShowsTheirParameters() {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        audit("Extend");
        byte[] before = auditDigest();
        transport.send("Extend", u32(16), DIGEST).is(ReturnCode.SUCCESS);
        assertThat(auditDigest()).isEqualTo(audited(before, transport.requestDigest, transport.responseDigest));
    }

    private void refused(byte[] request, ReturnCode code) {
        GuestTransport transport = GuestTransport.plain(tpm, 0);
        transport.send(request, true, SECRET).is(code);
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    private void refusedWhenLogged(ReturnCode code, String name, byte[]... parameters) {
        GuestTransport transport = GuestTransport.plain(tpm, LOG);
        execute(transport, name, parameters).is(code);
        execute(transport, "GetTicks").is(ReturnCode.INVALID_AUTHHANDLE);
    }

    private static Response execute(GuestTransport transport, String name, byte[]... parameters) {
        return transport.send(TestTpm.command(COMMAND, name, parameters), true, SECRET);
    }

    private Response establish(int key, byte[] transPublic, byte[] secret) {
        return tpm.send("EstablishTransport", u32(key), transPublic, sized(secret));
    }

    private Response release(GuestTransport transport, int key, byte[] secret) {
        return tpm.send(0, AUTH1, "ReleaseTransportSigned", u32(key), ANTI_REPLAY, transport.releasing(secret));
    }

    private Response releaseBoth(GuestTransport transport, int key, byte[] keyAuth, byte[] secret) {
        GuestSession session = tpm.oiap(keyAuth);
        byte[] digest = Sha1.of(GuestTransport.ordinal("ReleaseTransportSigned"), ANTI_REPLAY);
        byte[] auth = Hmac.sha1(keyAuth, digest, session.nonceEven, DIGEST, u8(0));
        byte[] block = concat(u32(session.handle), DIGEST, u8(0), auth);
        return tpm.send(0, 0xC3, "ReleaseTransportSigned", u32(key), ANTI_REPLAY, block, transport.releasing(secret));
    }

    /** A storage key that needs no authorisation. */
    private int parent() {
        return GuestKey.storage().withAuthDataUsage(NEVER).load(tpm);
    }

    private int signer() {
        return GuestKey.of(KeyUsage.SIGNING, 0, NEVER, 1, 2, 1024, new byte[0]).load(tpm);
    }

    private int failures() {
        byte[] info = tpm.send("GetCapability", u32(0x19), sized(u16(1))).parameters();
        return new BigInteger(Arrays.copyOfRange(info, 7, 9)).intValue();
    }

    private int property(int number) {
        return number(tpm.send("GetCapability", u32(5), sized(u32(number))).parameters(), 4);
    }

    private String handles() {
        return tpm.send("GetCapability", u32(0x14), sized(u32(TRANSPORT))).hex().substring(8);
    }

    private void audit(String name) {
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "SetOrdinalAuditStatus", GuestTransport.ordinal(name), u8(1))
                .is(ReturnCode.SUCCESS);
    }

    private byte[] auditDigest() {
        return Arrays.copyOfRange(tpm.send("GetAuditDigest", u32(0)).parameters(), 10, 30);
    }

    private byte[] audited(byte[] digest, byte[] in, byte[] out) {
        byte[] counter = Arrays.copyOf(tpm.send("GetAuditDigest", u32(0)).parameters(), 10);
        return Sha1.of(Sha1.of(digest, u16(0x12), in, counter), u16(0x13), out, counter);
    }

    /** The modulus in a TPM_PUBKEY. */
    private static byte[] publicKey(byte[] pubkey) {
        return GuestKey.publicKey(pubkey).modulus();
    }

    private static boolean verifies(byte[] modulus, byte[] data, byte[] signature) throws GeneralSecurityException {
        Signature verifier = Signature.getInstance("SHA1withRSA");
        verifier.initVerify(KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(new BigInteger(1, modulus), BigInteger.valueOf(65537))));
        verifier.update(data);
        return verifier.verify(signature);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
