package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestOwner.ANTI_REPLAY;
import static org.vtpm.engine.tpm12.GuestOwner.OWNER_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.PARMS;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Sha1;
import org.vtpm.tpm12.structure.ReturnCode;

class EndorsementTest {
    private static final byte[] RESET = Sha1.of(u8(21));
    private static final int EK = 0x40000006;
    private static final int SRK = 0x40000000;

    @Test
    void thereIsOneEndorsementKeyAndItStays() {
        TestTpm tpm = TestTpm.started();
        tpm.send("ReadPubek", ANTI_REPLAY).is(ReturnCode.NO_ENDORSEMENT);
        byte[] pubek = GuestOwner.withNewEk(tpm).pubek();
        tpm.send("CreateEndorsementKeyPair", ANTI_REPLAY, PARMS).is(ReturnCode.DISABLED_CMD);
        tpm.powerCycle();
        tpm.startup(StartupMode.CLEAR);
        assertThat(GuestOwner.withEk(tpm).pubek()).isEqualTo(pubek);
        tpm.presence();
        tpm.send("RevokeTrust", new byte[20]).is(ReturnCode.PERMANENTEK);
    }

    @Test
    void keysOfOtherKindsAreRefused() {
        TestTpm tpm = TestTpm.started();
        // The algorithm, the encryption scheme, the length in bits and the number of primes: each wrong once.
        for (int position : new int[] {3, 5, 15, 19}) {
            byte[] parms = PARMS.clone();
            parms[position] ^= 4;
            tpm.send("CreateEndorsementKeyPair", ANTI_REPLAY, parms).is(ReturnCode.BAD_KEY_PROPERTY);
        }
        tpm.send("CreateEndorsementKeyPair", ANTI_REPLAY, Arrays.copyOf(PARMS, PARMS.length - 1))
                .is(ReturnCode.BAD_PARAM_SIZE);
        tpm.send("ReadPubek", ANTI_REPLAY).is(ReturnCode.NO_ENDORSEMENT);
    }

    @Test
    void aRevocableKeyGoesWithItsSecretAndPresence() {
        TestTpm tpm = TestTpm.started();
        byte[] created = tpm.send("CreateRevocableEK", ANTI_REPLAY, PARMS, u8(0), RESET)
                .is(ReturnCode.SUCCESS)
                .parameters();
        assertThat(Arrays.copyOfRange(created, created.length - 20, created.length))
                .isEqualTo(RESET);
        tpm.send("RevokeTrust", ANTI_REPLAY).is(ReturnCode.AUTHFAIL);
        tpm.send("RevokeTrust", RESET).is(ReturnCode.BAD_PRESENCE);
        GuestOwner.withEk(tpm).takeOwnership();
        tpm.presence();
        tpm.send("RevokeTrust", RESET).is(ReturnCode.SUCCESS);
        tpm.send("ReadPubek", ANTI_REPLAY).is(ReturnCode.DISABLED);
        tpm.send("PhysicalEnable").is(ReturnCode.SUCCESS);
        tpm.send("ReadPubek", ANTI_REPLAY).is(ReturnCode.NO_ENDORSEMENT);
        byte[] next = GuestOwner.withNewEk(tpm).pubek();
        assertThat(next).isNotEqualTo(Arrays.copyOf(created, next.length));
    }

    @Test
    void theTpmMakesTheResetSecretWhenAsked() {
        TestTpm tpm = TestTpm.started();
        byte[] created = tpm.send("CreateRevocableEK", ANTI_REPLAY, PARMS, u8(1), RESET)
                .is(ReturnCode.SUCCESS)
                .parameters();
        byte[] reset = Arrays.copyOfRange(created, created.length - 20, created.length);
        assertThat(reset).isNotEqualTo(RESET);
        tpm.presence();
        tpm.send("RevokeTrust", RESET).is(ReturnCode.AUTHFAIL);
        tpm.send("RevokeTrust", reset).is(ReturnCode.SUCCESS);
    }

    @Test
    void onlyTheOwnerReadsTheKeyOnceThereIsOne() {
        TestTpm tpm = TestTpm.started();
        GuestOwner guest = GuestOwner.withNewEk(tpm);
        byte[] srk = guest.takeOwnership();
        tpm.send("ReadPubek", ANTI_REPLAY).is(ReturnCode.DISABLED_CMD);
        TestTpm.GuestSession session = tpm.oiap(OWNER_AUTH);
        assertThat(tpm.authorized(session, true, "OwnerReadInternalPub", u32(EK))
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(guest.pubek());
        assertThat(tpm.authorized(session, true, "OwnerReadInternalPub", u32(SRK))
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(TestTpm.concat(PARMS, TestTpm.sized(srk)));
        assertThat(tpm.authorized(session, true, "OwnerReadPubek")
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(guest.pubek());
        tpm.authorized(session, true, "DisablePubekRead").is(ReturnCode.SUCCESS);
        tpm.authorized(session, true, "OwnerReadInternalPub", u32(0x40000001)).is(ReturnCode.BAD_PARAMETER);
        tpm.authorized(tpm.oiap(ANTI_REPLAY), true, "OwnerReadInternalPub", u32(EK))
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void aManufacturedKeyCannotBeRevoked() throws Exception {
        Tpm12EngineFactory factory = new Tpm12EngineFactory(JavaBigNumberProvider::new);
        byte[] state = factory.manufacture(true);
        try (Engine engine = factory.open(Map.of(StateKind.PERMANENT, state))) {
            engine.execute(0, factory.startupCommand(StartupMode.CLEAR), changes -> {});
            byte[] read = engine.execute(0, TestTpm.command(TestTpm.COMMAND, "ReadPubek", ANTI_REPLAY), changes -> {});
            assertThat(TestTpm.parse(read).is(ReturnCode.SUCCESS).parameters()).hasSize(304);
            byte[] revoke =
                    engine.execute(0, TestTpm.command(TestTpm.COMMAND, "RevokeTrust", new byte[20]), changes -> {});
            TestTpm.parse(revoke).is(ReturnCode.PERMANENTEK);
        }
    }
}
