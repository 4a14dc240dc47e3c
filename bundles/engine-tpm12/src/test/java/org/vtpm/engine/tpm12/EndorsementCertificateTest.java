package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.ReturnCode;

class EndorsementCertificateTest {
    /** As long as the one that swtpm_setup made for the TPM that the expected bytes were read from. */
    private static final byte[] CERTIFICATE = concat(new byte[900], u16(1), new byte[95]);

    /** TPM_NV_DATA_PUBLIC of that TPM, swtpm 0.7.1, as TPM_CAP_NV_INDEX shows it. */
    private static final String AREA = "00181000f000" + "00030000001f" + "00".repeat(20) + "00030000001f"
            + "00".repeat(20) + "001700020002" + "000000" + "000003ec";

    private static final byte[] STORED = concat(u16(0x1001), u8(0), u16(999), u16(0x1002), CERTIFICATE);

    private final Tpm12EngineFactory factory = new Tpm12EngineFactory(JavaBigNumberProvider::new);
    private final byte[] made = factory.manufacture(true);

    private TestTpm endorsed() throws EngineStateException {
        TestTpm tpm = TestTpm.poweredOn(factory.endorse(made, CERTIFICATE), new SecureRandom());
        tpm.startup(StartupMode.CLEAR);
        return tpm;
    }

    private EndorsementInfo endorsement(TestTpm tpm) throws EngineStateException {
        return factory.endorsement(tpm.stored.get(StateKind.PERMANENT)).orElseThrow();
    }

    @Test
    void guestsFindItAsSwtpmSetupLeavesIt() throws Exception {
        NvGuest guest = NvGuest.on(endorsed());

        assertThat(guest.indices()).containsExactly(NvIndex.EK_CERTIFICATE);
        assertThat(guest.shown(NvIndex.EK_CERTIFICATE).hex()).isEqualTo("00000047" + AREA);
        NvGuest.contents(guest.read(NvIndex.EK_CERTIFICATE, 0, STORED.length), STORED);
    }

    @Test
    void itCostsNoneOfTheWritesThatNeedNoOwner() throws Exception {
        NvGuest guest = NvGuest.on(endorsed());
        for (int i = 0; i < 64; i++) {
            guest.define(0x20 + i, 1, Permission.OWNERWRITE).is(ReturnCode.SUCCESS);
        }
        guest.define(0x60, 1, Permission.OWNERWRITE).is(ReturnCode.MAXNVWRITES);
    }

    @Test
    void itOutlivesTheOwnerWhoReadsItOnceNvIsLocked() throws Exception {
        TestTpm tpm = endorsed();
        NvGuest guest = NvGuest.on(tpm);
        guest.lock();
        guest.read(NvIndex.EK_CERTIFICATE, 0, 1).is(ReturnCode.AUTH_CONFLICT);
        GuestOwner.withEk(tpm).takeOwnership();
        assertThat(tpm.authorized(
                                tpm.oiap(GuestOwner.OWNER_AUTH),
                                false,
                                "NV_ReadValue",
                                TestTpm.u32(NvIndex.EK_CERTIFICATE),
                                TestTpm.u32(0),
                                TestTpm.u32(7))
                        .is(ReturnCode.SUCCESS)
                        .hex())
                .isEqualTo("00000007" + HexFormat.of().formatHex(STORED, 0, 7));
        tpm.presence();
        tpm.send("ForceClear").is(ReturnCode.SUCCESS);
        assertThat(guest.indices()).containsExactly(NvIndex.EK_CERTIFICATE);
        assertThat(endorsement(tpm).certificate()).isEqualTo(CERTIFICATE);
    }

    @Test
    void theHostReadsTheKeyThatTheTpmKeepsToItself() throws Exception {
        TestTpm tpm = endorsed();
        byte[] pubek = tpm.send("ReadPubek", GuestOwner.ANTI_REPLAY)
                .is(ReturnCode.SUCCESS)
                .parameters();
        GuestOwner.withEk(tpm).takeOwnership();
        tpm.send("ReadPubek", GuestOwner.ANTI_REPLAY).is(ReturnCode.DISABLED_CMD);

        RSAPublicKey key = (RSAPublicKey) KeyFactory.getInstance("RSA")
                .generatePublic(new X509EncodedKeySpec(endorsement(tpm).publicKey()));

        byte[] modulus = key.getModulus().toByteArray();
        assertThat(Arrays.copyOfRange(modulus, 1, modulus.length)).isEqualTo(Arrays.copyOfRange(pubek, 28, 284));
        assertThat(key.getPublicExponent()).isEqualTo(65537);
    }

    @Test
    void whatTheGuestSpoiltIsNoCertificate() throws Exception {
        TestTpm tpm = endorsed();
        NvGuest guest = NvGuest.on(tpm);
        guest.write(NvIndex.EK_CERTIFICATE, 3, u16(1000)).is(ReturnCode.SUCCESS);
        assertThat(endorsement(tpm).certificate()).isNull();
        guest.define(NvIndex.EK_CERTIFICATE, 0).is(ReturnCode.SUCCESS);
        assertThat(endorsement(tpm).certificate()).isNull();
    }

    @Test
    void withoutKeyThereIsNoEndorsement() throws Exception {
        assertThat(factory.endorsement(factory.manufacture(false))).isEmpty();
        assertThat(factory.endorsement(made))
                .hasValueSatisfying(e -> assertThat(e.certificate()).isNull());
    }

    @Test
    void whatDoesNotFitOrComesTooLateIsRefused() throws Exception {
        assertThatThrownBy(() -> factory.endorse(made, new byte[30_000])).hasMessageContaining("does not fit");
        TestTpm tpm = endorsed();
        NvGuest.on(tpm).lock();
        assertThatThrownBy(() -> factory.endorse(tpm.stored.get(StateKind.PERMANENT), CERTIFICATE))
                .isInstanceOf(EngineStateException.class)
                .hasMessageContaining("locked");
    }
}
