package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.math.BigInteger;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.KeyUsage;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;

class DaaTest {
    private static final String JOIN = "DAA_Join";
    private static final String SIGN = "DAA_Sign";
    private static final byte[] NONE = {};
    private static final int DAA = 8;
    private static final byte[] NONCE = Sha1.of(u32(31));
    private static final byte[] DIGEST_SELECTED = {1};

    private static final DaaIssuerHost HOST = new DaaIssuerHost();

    private final TestTpm tpm = TestTpm.started();
    private byte[] encryptedNonce = {};

    @BeforeEach
    void own() {
        GuestOwner owner = GuestOwner.withNewEk(tpm);
        encryptedNonce = owner.encrypt(NONCE);
        owner.takeOwnership();
    }

    @Test
    void aCertifiedTpmSignsAnonymously() {
        byte[] w = HOST.newBase();
        DaaIssuerHost.Credential credential = join(w);
        assertThat(sessions()).isZero();

        DaaIssuerHost.Signature one = sign(credential, DaaIssuerHost.MESSAGE);
        DaaIssuerHost.Signature other = sign(credential, DaaIssuerHost.MESSAGE);

        assertThat(HOST.verifies(one, w)).isTrue();
        assertThat(HOST.verifies(other, w)).isTrue();
        assertThat(one.t()).isNotEqualTo(other.t());
        assertThat(one.s0()).isNotEqualTo(other.s0());
        assertThat(one.pseudonym()).isEqualTo(other.pseudonym());
        assertThat(HOST.verifies(one, HOST.newBase())).isFalse();
        assertThat(HOST.verifies(forged(one), w)).isFalse();
        assertThat(sessions()).isZero();
    }

    @Test
    void aTpmSignsAnIdentityOfItsOwn() {
        byte[] w = HOST.newBase();
        DaaIssuerHost.Credential credential = join(w);
        byte[] wrapped = makeIdentity();
        int identity = GuestKey.load(tpm, wrapped);
        byte[] pubkey = tpm.authorized(tpm.oiap(GuestKey.USAGE_AUTH), false, "GetPubKey", u32(identity))
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] modulus = GuestKey.publicKey(pubkey).modulus();

        DaaIssuerHost.Signature signature =
                HOST.sign(stages(SIGN, beginSign()), credential, new byte[] {0}, u32(identity), modulus);

        assertThat(HOST.verifies(signature, w)).isTrue();
    }

    @Test
    void onlyIdentitiesAndDigestsAreSigned() {
        DaaIssuerHost.Credential credential = join(HOST.newBase());
        int signing = GuestKey.signing().load(tpm);
        refusedAtStage10(credential, new byte[] {0}, u32(signing), ReturnCode.DAA_INPUT_DATA1);
        refusedAtStage10(credential, new byte[] {0}, u32(Handles.EK), ReturnCode.DAA_INPUT_DATA1);
        refusedAtStage10(credential, new byte[] {0}, u32(5), ReturnCode.DAA_INPUT_DATA1);
        refusedAtStage10(credential, new byte[] {0}, new byte[3], ReturnCode.DAA_INPUT_DATA1);
        refusedAtStage10(credential, new byte[] {1}, new byte[19], ReturnCode.DAA_INPUT_DATA1);
        refusedAtStage10(credential, new byte[] {2}, new byte[20], ReturnCode.DAA_INPUT_DATA0);
        refusedAtStage10(credential, NONE, new byte[20], ReturnCode.DAA_INPUT_DATA0);
    }

    /** Saving the state keeps what is under way, as TPM_CAP_PROP_STARTUP_EFFECT says. */
    @Test
    void aJoinGoesOnAfterSaveState() {
        int handle = beginJoin(2);
        byte[] w = HOST.newBase();
        DaaIssuerHost.Stages stages = stages(JOIN, handle);
        DaaIssuerHost.Credential credential = HOST.join(
                (stage, input0, input1) -> {
                    if (stage == 6 || stage == 14 || stage == 21 || stage == 23) {
                        tpm.send("SaveState").is(ReturnCode.SUCCESS);
                        tpm.powerCycle();
                        tpm.startup(StartupMode.STATE);
                    }
                    return stages.send(stage, input0, input1);
                },
                NONCE,
                encryptedNonce,
                w);
        assertThat(HOST.verifies(sign(credential, DaaIssuerHost.MESSAGE), w)).isTrue();
    }

    @Test
    void aJoinGoesOnAfterItsSessionWasKeptOutside() {
        int handle = beginJoin(2);
        byte[] w = HOST.newBase();
        DaaIssuerHost.Stages stages = stages(JOIN, handle);
        DaaIssuerHost.Credential credential = HOST.join(
                (stage, input0, input1) -> {
                    if (stage == 6 || stage == 21) {
                        byte[] blob = tpm.send("SaveContext", u32(handle), u32(DAA), new byte[16])
                                .is(ReturnCode.SUCCESS)
                                .parameters();
                        send(JOIN, handle, stage, input0, input1).is(ReturnCode.BAD_HANDLE);
                        tpm.send("LoadContext", u32(0), u8(1), blob).is(ReturnCode.SUCCESS);
                        tpm.send("LoadContext", u32(0), u8(0), blob).is(ReturnCode.BADCONTEXT);
                    }
                    return stages.send(stage, input0, input1);
                },
                NONCE,
                encryptedNonce,
                w);
        assertThat(HOST.verifies(sign(credential, DaaIssuerHost.MESSAGE), w)).isTrue();
        tpm.send("SaveContext", u32(handle), u32(DAA), new byte[16]).is(ReturnCode.INVALID_RESOURCE);
    }

    @Test
    void twoTpmsHaveTwoSecrets() {
        byte[] w = HOST.newBase();
        byte[] pseudonym = join(w).pseudonym();
        assertThat(join(w).pseudonym()).isEqualTo(pseudonym);
        renewDaaSecrets();
        assertThat(join(w).pseudonym()).isNotEqualTo(pseudonym);
    }

    @Test
    void newSecretsMakeOldCredentialsWorthless() {
        DaaIssuerHost.Credential credential = join(HOST.newBase());
        renewDaaSecrets();
        send(SIGN, beginSign(), 1, credential.tpm(), NONE).is(ReturnCode.DAA_INPUT_DATA0);
        assertThat(sessions()).isZero();
    }

    @Test
    void aCredentialOutlivesItsOwner() {
        byte[] w = HOST.newBase();
        DaaIssuerHost.Credential credential = join(w);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        GuestOwner.withEk(tpm).takeOwnership();
        assertThat(HOST.verifies(sign(credential, DaaIssuerHost.MESSAGE), w)).isTrue();
    }

    @Test
    void blobsServeForTheirPurposeOnly() {
        DaaIssuerHost.Credential credential = join(HOST.newBase());
        DaaIssuerHost.Credential other = join(HOST.newBase());
        send(SIGN, beginSign(), 1, credential.v0(), NONE).is(ReturnCode.DAA_INPUT_DATA0);
        send(SIGN, beginSign(), 1, NONE, NONE).is(ReturnCode.DAA_INPUT_DATA0);
        for (int position = 0; position < credential.tpm().length; position += 7) {
            byte[] changed = credential.tpm().clone();
            changed[position] ^= 1;
            send(SIGN, beginSign(), 1, changed, NONE).is(ReturnCode.DAA_INPUT_DATA0);
        }
        int handle = beginSign();
        signUntil13(handle, credential);
        send(SIGN, handle, 13, other.v0(), NONE).is(ReturnCode.DAA_INPUT_DATA0);
        handle = beginSign();
        signUntil13(handle, credential);
        send(SIGN, handle, 13, credential.v1(), NONE).is(ReturnCode.DAA_INPUT_DATA0);
    }

    @Test
    void stagesComeInTheirOrderOrTheSessionEnds() {
        for (int wrong : new int[] {2, 3, 24, 25, 255}) {
            send(JOIN, beginJoin(1), wrong, NONE, NONE).is(ReturnCode.DAA_STAGE);
            assertThat(sessions()).isZero();
        }
        int handle = beginJoin(2);
        send(JOIN, handle, 1, HOST.rootKey(), NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 2, HOST.settings(), NONE).is(ReturnCode.DAA_STAGE);
        send(JOIN, handle, 1, HOST.rootKey(), NONE).is(ReturnCode.BAD_HANDLE);
    }

    @Test
    void aJoinIsNoSign() {
        DaaIssuerHost.Credential credential = join(HOST.newBase());
        int join = beginJoin(2);
        HOST.introduce(stages(JOIN, join));
        send(SIGN, join, 4, HOST.r0(), HOST.n()).is(ReturnCode.DAA_TPM_SETTINGS);
        send(SIGN, beginJoin(1), 1, credential.tpm(), NONE).is(ReturnCode.DAA_ISSUER_SETTINGS);
        send(JOIN, beginSign(), 1, HOST.rootKey(), NONE).is(ReturnCode.DAA_TPM_SETTINGS);
        int sign = beginSign();
        send(SIGN, sign, 1, credential.tpm(), NONE).is(ReturnCode.SUCCESS);
        send(JOIN, sign, 2, HOST.settings(), NONE).is(ReturnCode.DAA_TPM_SETTINGS);
        assertThat(sessions()).isZero();
    }

    @Test
    void aCredentialBelongsToItsIssuer() {
        DaaIssuerHost.Credential credential = join(HOST.newBase());
        byte[] other = HOST.settings(HOST.n(), HOST.gamma(), BigInteger.valueOf(7));
        int handle = begin(SIGN, other);
        send(SIGN, handle, 1, credential.tpm(), NONE).is(ReturnCode.DAA_ISSUER_SETTINGS);
    }

    @Test
    void theChainOfKeysVouchesForTheIssuer() {
        send(JOIN, beginJoin(1), 1, new byte[255], NONE).is(ReturnCode.DAA_INPUT_DATA0);
        byte[] signature = HOST.signedByRoot(HOST.issuerKey());
        afterRootKey(HOST.issuerKey(), new byte[255], ReturnCode.DAA_INPUT_DATA1);
        afterRootKey(HOST.rootKey(), signature, ReturnCode.DAA_ISSUER_VALIDITY);
        afterRootKey(HOST.issuerKey(), HOST.signedByIssuer(HOST.issuerKey()), ReturnCode.DAA_ISSUER_VALIDITY);
        byte[] even = HOST.rootKey();
        even[255] &= (byte) 0xFE;
        int handle = beginJoin(2);
        send(JOIN, handle, 1, even, NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 1, HOST.issuerKey(), signature).is(ReturnCode.DAA_ISSUER_VALIDITY);
        handle = beginJoin(2);
        send(JOIN, handle, 1, new byte[256], NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 1, HOST.issuerKey(), signature).is(ReturnCode.DAA_ISSUER_VALIDITY);
        handle = beginJoin(1);
        send(JOIN, handle, 1, HOST.rootKey(), NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 2, HOST.settings(), HOST.signedByRoot(HOST.settings()))
                .is(ReturnCode.DAA_ISSUER_VALIDITY);
        send(JOIN, beginJoin(1), 0, new byte[4], NONE).is(ReturnCode.DAA_INPUT_DATA0);
        send(JOIN, 0, 0, new byte[3], NONE).is(ReturnCode.DAA_INPUT_DATA0);
    }

    /** A guest can be its own issuer: none of its numbers may make the TPM fail. */
    @Test
    void numbersThatNobodyCanComputeWithAreRefused() {
        byte[] even = DaaIssuerHost.bytes(DaaIssuerHost.number(HOST.n()).subtract(BigInteger.ONE));
        byte[] longer = new byte[257];
        Arrays.fill(longer, (byte) 0xFF);
        BigInteger q = BigInteger.valueOf(7);
        for (byte[] n : new byte[][] {NONE, {0}, even}) {
            int handle = introduced(HOST.settings(n, HOST.gamma(), q));
            send(JOIN, handle, 4, HOST.r0(), n).is(ReturnCode.DAA_WRONG_W);
        }
        int handle = introduced(HOST.settings(longer, HOST.gamma(), q));
        send(JOIN, handle, 4, HOST.r0(), longer).is(ReturnCode.SIZE);
        // With an order of one f is zero.
        handle = introduced(HOST.settings(HOST.n(), HOST.gamma(), BigInteger.ONE));
        send(JOIN, handle, 4, HOST.r0(), HOST.n()).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 5, HOST.r1(), HOST.n()).is(ReturnCode.SUCCESS);
        for (byte[] gamma : new byte[][] {NONE, {0}, {1}, even}) {
            handle = introduced(HOST.settings(HOST.n(), gamma, q));
            commit(handle);
            send(JOIN, handle, 13, gamma, new byte[256]).is(ReturnCode.DAA_WRONG_W);
        }
        tpm.send("GetRandom", u32(4)).is(ReturnCode.SUCCESS);
        byte[] noOrder = HOST.settings(HOST.n(), HOST.gamma(), BigInteger.ZERO);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, SIGN, u32(0), u8(0), sized(noOrder), sized(NONE))
                .is(ReturnCode.DAA_INPUT_DATA0);
    }

    @Test
    void inputsAreThoseThatTheIssuerNamed() {
        int handle = introduced(HOST.settings());
        send(JOIN, handle, 4, HOST.r1(), HOST.n()).is(ReturnCode.DAA_INPUT_DATA0);
        handle = introduced(HOST.settings());
        send(JOIN, handle, 4, HOST.r0(), HOST.gamma()).is(ReturnCode.DAA_INPUT_DATA1);
        handle = introduced(HOST.settings());
        commit(handle);
        send(JOIN, handle, 13, HOST.gamma(), DaaIssuerHost.bytes(BigInteger.TWO, 256))
                .is(ReturnCode.DAA_WRONG_W);
        handle = introduced(HOST.settings());
        commit(handle);
        send(JOIN, handle, 13, HOST.gamma(), new byte[255]).is(ReturnCode.DAA_INPUT_DATA1);
    }

    @Test
    void theIssuersShareMustLeaveRoom() {
        int handle = introduced(HOST.settings());
        commit(handle);
        send(JOIN, handle, 13, HOST.gamma(), HOST.newBase()).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 14, HOST.gamma(), NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 15, HOST.gamma(), NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 16, new byte[20], NONE).is(ReturnCode.SUCCESS);
        for (int stage = 17; stage <= 21; stage++) {
            send(JOIN, handle, stage, NONE, NONE).is(ReturnCode.SUCCESS);
        }
        send(JOIN, handle, 22, new byte[128], NONE).is(ReturnCode.SUCCESS);
        byte[] tooMuch = new byte[192];
        Arrays.fill(tooMuch, (byte) 0xFF);
        send(JOIN, handle, 23, tooMuch, NONE).is(ReturnCode.DAA_INPUT_DATA0);
    }

    @Test
    void thereAreTwoSessionsWhichCanBeSeenAndFlushed() {
        assertThat(property(0x119)).isEqualTo(2);
        int one = beginJoin(1);
        int other = beginSign();
        assertThat(property(0x11A)).isZero();
        assertThat(handles()).isEqualTo(concat(u16(2), u32(one), u32(other)));
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, JOIN, u32(0), u8(0), sized(u32(1)), sized(NONE))
                .is(ReturnCode.RESOURCES);
        flush(one).is(ReturnCode.SUCCESS);
        flush(one).is(ReturnCode.BAD_HANDLE);
        assertThat(handles()).isEqualTo(concat(u16(1), u32(other)));
        send(JOIN, one, 1, HOST.rootKey(), NONE).is(ReturnCode.BAD_HANDLE);
    }

    @Test
    void sessionsEndWithTheOwnerAndWithThePower() {
        beginJoin(1);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        assertThat(sessions()).isZero();
        beginJoin(1);
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "OwnerClear").is(ReturnCode.SUCCESS);
        tpm.presence();
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        assertThat(sessions()).isZero();
    }

    @Test
    void onlyTheOwnerGoesOn() {
        int handle = beginJoin(1);
        tpm.authorized(tpm.oiap(SRK_AUTH), false, JOIN, u32(handle), u8(1), sized(HOST.rootKey()), sized(NONE))
                .is(ReturnCode.AUTHFAIL);
        assertThat(sessions()).isZero();
        tpm.authorized(tpm.oiap(SRK_AUTH), false, SIGN, u32(0), u8(0), sized(HOST.settings()), sized(NONE))
                .is(ReturnCode.AUTHFAIL);
    }

    private DaaIssuerHost.Credential join(byte[] w) {
        return HOST.join(stages(JOIN, beginJoin(2)), NONCE, encryptedNonce, w);
    }

    private DaaIssuerHost.Signature sign(DaaIssuerHost.Credential credential, byte[] message) {
        return HOST.sign(stages(SIGN, beginSign()), credential, DIGEST_SELECTED, message, message);
    }

    private static DaaIssuerHost.Signature forged(DaaIssuerHost.Signature signature) {
        return new DaaIssuerHost.Signature(
                signature.t(),
                signature.pseudonym(),
                signature.nt(),
                signature.c(),
                signature.se(),
                signature.s0(),
                signature.s1(),
                signature.sv(),
                concat(DIGEST_SELECTED, Sha1.of(u32(78))));
    }

    private int beginJoin(int keys) {
        return begin(JOIN, u32(keys));
    }

    private int beginSign() {
        return begin(SIGN, HOST.settings());
    }

    private int begin(String command, byte[] input) {
        byte[] output = send(command, 0, 0, input, NONE).is(ReturnCode.SUCCESS).parameters();
        assertThat(output).hasSize(8);
        return TestTpm.number(output, 4);
    }

    /** A join after stage 3, with the root as the issuer's only key. */
    private int introduced(byte[] settings) {
        int handle = beginJoin(1);
        send(JOIN, handle, 1, HOST.rootKey(), NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 2, settings, HOST.signedByRoot(concat(Sha1.of(HOST.rootKey()), settings)))
                .is(ReturnCode.SUCCESS);
        send(JOIN, handle, 3, u32(1), NONE).is(ReturnCode.SUCCESS);
        return handle;
    }

    /** Stages 4 to 12. */
    private void commit(int handle) {
        byte[][] bases = {HOST.r0(), HOST.r1(), HOST.s0(), HOST.s1()};
        for (int i = 0; i < bases.length; i++) {
            send(JOIN, handle, 4 + i, bases[i], HOST.n()).is(ReturnCode.SUCCESS);
        }
        send(JOIN, handle, 8, encryptedNonce, NONE).is(ReturnCode.SUCCESS);
        for (int i = 0; i < bases.length; i++) {
            send(JOIN, handle, 9 + i, bases[i], HOST.n()).is(ReturnCode.SUCCESS);
        }
    }

    private void signUntil10(int handle, DaaIssuerHost.Credential credential) {
        send(SIGN, handle, 1, credential.tpm(), NONE).is(ReturnCode.SUCCESS);
        byte[][] bases = {HOST.r0(), HOST.r1(), HOST.s0(), HOST.s1()};
        for (int i = 0; i < bases.length; i++) {
            send(SIGN, handle, 2 + i, bases[i], HOST.n()).is(ReturnCode.SUCCESS);
        }
        send(SIGN, handle, 6, HOST.gamma(), credential.w()).is(ReturnCode.SUCCESS);
        send(SIGN, handle, 7, HOST.gamma(), NONE).is(ReturnCode.SUCCESS);
        send(SIGN, handle, 8, HOST.gamma(), NONE).is(ReturnCode.SUCCESS);
        send(SIGN, handle, 9, new byte[20], NONE).is(ReturnCode.SUCCESS);
    }

    private void signUntil13(int handle, DaaIssuerHost.Credential credential) {
        signUntil10(handle, credential);
        send(SIGN, handle, 10, DIGEST_SELECTED, new byte[20]).is(ReturnCode.SUCCESS);
        send(SIGN, handle, 11, NONE, NONE).is(ReturnCode.SUCCESS);
        send(SIGN, handle, 12, NONE, NONE).is(ReturnCode.SUCCESS);
    }

    private void refusedAtStage10(
            DaaIssuerHost.Credential credential, byte[] selector, byte[] signed, ReturnCode code) {
        int handle = beginSign();
        signUntil10(handle, credential);
        send(SIGN, handle, 10, selector, signed).is(code);
        assertThat(sessions()).isZero();
    }

    private void afterRootKey(byte[] key, byte[] signature, ReturnCode code) {
        int handle = beginJoin(2);
        send(JOIN, handle, 1, HOST.rootKey(), NONE).is(ReturnCode.SUCCESS);
        send(JOIN, handle, 1, key, signature).is(code);
        assertThat(sessions()).isZero();
    }

    private DaaIssuerHost.Stages stages(String command, int handle) {
        return (stage, input0, input1) -> {
            byte[] output = send(command, handle, stage, input0, input1)
                    .is(ReturnCode.SUCCESS)
                    .parameters();
            return Arrays.copyOfRange(output, 4, output.length);
        };
    }

    private TestTpm.Response send(String command, int handle, int stage, byte[] input0, byte[] input1) {
        return tpm.authorized(
                tpm.oiap(OWNER_AUTH), false, command, u32(handle), u8(stage), sized(input0), sized(input1));
    }

    private byte[] makeIdentity() {
        TestTpm.GuestSession owner = tpm.osap(EntityType.OWNER, 0, OWNER_AUTH);
        byte[] params =
                GuestKey.of(KeyUsage.IDENTITY, 0, 1, 1, 2, 2048, new byte[0]).keyInfo();
        byte[] answer = tpm.authorized(
                        tpm.oiap(SRK_AUTH),
                        owner,
                        "MakeIdentity",
                        tpm.encrypted(owner, GuestKey.USAGE_AUTH),
                        new byte[20],
                        params)
                .is(ReturnCode.SUCCESS)
                .parameters();
        // Behind the key: the binding, a signature of 256 bytes.
        return Arrays.copyOf(answer, answer.length - 4 - 256);
    }

    private void renewDaaSecrets() {
        tpm.authorized(tpm.oiap(OWNER_AUTH), false, "SetCapability", u32(2), sized(u32(25)), sized(NONE))
                .is(ReturnCode.SUCCESS);
    }

    private TestTpm.Response flush(int handle) {
        return tpm.send("FlushSpecific", u32(handle), u32(ResourceType.DAA));
    }

    private int sessions() {
        return 2 - property(0x11A);
    }

    private int property(int number) {
        byte[] value = tpm.send("GetCapability", u32(5), sized(u32(number)))
                .is(ReturnCode.SUCCESS)
                .parameters();
        return TestTpm.number(value, 4);
    }

    private byte[] handles() {
        byte[] list = tpm.send("GetCapability", u32(0x14), sized(u32(ResourceType.DAA)))
                .is(ReturnCode.SUCCESS)
                .parameters();
        return Arrays.copyOfRange(list, 4, list.length);
    }
}
