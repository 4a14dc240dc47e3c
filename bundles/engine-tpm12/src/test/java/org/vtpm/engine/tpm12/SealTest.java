package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.GuestOwner.SRK_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.engine.tpm12.structure.EntityType;
import org.vtpm.engine.tpm12.structure.Handles;
import org.vtpm.engine.tpm12.structure.ReturnCode;

class SealTest {
    private static final byte[] SRK = u32(Handles.SRK);
    private static final byte[] DATA_AUTH = Sha1.of(u8(51));
    private static final byte[] DATA = {1, 2, 3, 4, 5, 6, 7};
    private static final byte[] NONE = {};
    private static final byte[] WRONG = new byte[20];
    private static final byte[] PCR_16 = HexFormat.of().parseHex("0003000001");
    private static final byte[] UNTOUCHED = Sha1.of(PCR_16, sized(new byte[20]));
    private static final int AES = 0x0600;

    /** What is encrypted with 2048 bits less what TPM_SEALED_DATA and OAEP take. */
    private static final int MOST = 256 - 42 - 65;

    private final TestTpm tpm = TestTpm.started();

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void sealedDataComesBack() {
        byte[] stored = seal("Seal", NONE, DATA).is(ReturnCode.SUCCESS).parameters();
        assertThat(Arrays.copyOf(stored, 12)).isEqualTo(HexFormat.of().parseHex("010100000000000000000100"));
        assertThat(unseal(stored).is(ReturnCode.SUCCESS).parameters()).isEqualTo(sized(DATA));
        assertThat(unseal(seal("Seal", NONE, new byte[MOST]).parameters()).parameters())
                .isEqualTo(sized(new byte[MOST]));
        seal("Seal", NONE, new byte[MOST + 1]).is(ReturnCode.BAD_DATASIZE);
        seal("Seal", NONE, NONE).is(ReturnCode.BAD_PARAMETER);
    }

    @Test
    void itIsReleasedUnderItsPcrsOnly() {
        tpm.send("Extend", u32(10), DATA_AUTH).is(ReturnCode.SUCCESS);
        byte[] info = concat(PCR_16, UNTOUCHED, WRONG);
        byte[] stored = seal("Seal", info, DATA).is(ReturnCode.SUCCESS).parameters();
        assertThat(Arrays.copyOfRange(stored, 8, 53)).isEqualTo(concat(PCR_16, UNTOUCHED, UNTOUCHED));
        unseal(stored).is(ReturnCode.SUCCESS);
        tpm.send("Extend", u32(16), DATA_AUTH).is(ReturnCode.SUCCESS);
        unseal(stored).is(ReturnCode.WRONGPCRVAL);
    }

    @Test
    void theLongFormNamesLocalitiesToo() {
        byte[] here = seal("Seal", infoLong(1), DATA).is(ReturnCode.SUCCESS).parameters();
        assertThat(Arrays.copyOf(here, 4)).isEqualTo(HexFormat.of().parseHex("00160000"));
        assertThat(Arrays.copyOfRange(here, 8, 62))
                .isEqualTo(concat(u16(6), u8(1), u8(1), PCR_16, PCR_16, UNTOUCHED, UNTOUCHED));
        unseal(here).is(ReturnCode.SUCCESS);
        unseal(seal("Seal", infoLong(2), DATA).parameters()).is(ReturnCode.BAD_LOCALITY);
    }

    @Test
    void pcrInformationHasToBeWhole() {
        seal("Seal", infoLong(0), DATA).is(ReturnCode.BADINDEX);
        seal("Seal", new byte[1], DATA).is(ReturnCode.BADINDEX);
        seal("Seal", concat(u16(4), new byte[44]), DATA).is(ReturnCode.BADINDEX);
        seal("Seal", concat(infoLong(1), u8(0)), DATA).is(ReturnCode.BADINDEX);
        seal("Sealx", concat(PCR_16, UNTOUCHED, WRONG), DATA).is(ReturnCode.BADINDEX);
    }

    @Test
    void onlyTheSameTpmAndOwnerUnseal() {
        byte[] stored = seal("Seal", infoLong(1), DATA).parameters();
        for (int position : new int[] {3, 14, 30, stored.length - 1}) {
            byte[] changed = stored.clone();
            changed[position] ^= 1;
            unseal(changed).is(ReturnCode.NOTSEALED_BLOB);
        }
        byte[] wrapped = GuestKey.signing().create(tpm).parameters();
        unseal(concat(
                        Arrays.copyOf(stored, 62),
                        sized(Arrays.copyOfRange(wrapped, wrapped.length - 256, wrapped.length))))
                .is(ReturnCode.NOTSEALED_BLOB);
        unseal(concat(u16(0x0017), Arrays.copyOfRange(stored, 2, stored.length)))
                .is(ReturnCode.BAD_VERSION);
    }

    @Test
    void unsealingTakesBothSecrets() {
        byte[] stored = seal("Seal", NONE, DATA).parameters();
        tpm.authorized(tpm.oiap(WRONG), tpm.oiap(DATA_AUTH), "Unseal", SRK, stored)
                .is(ReturnCode.AUTHFAIL);
        tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(WRONG), "Unseal", SRK, stored)
                .is(ReturnCode.AUTH2FAIL);
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "Unseal", SRK, stored).is(ReturnCode.AUTHFAIL);
        GuestSession bound = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, SRK_AUTH);
        tpm.authorized(tpm.oiap(SRK_AUTH), bound, "Unseal", SRK, stored).is(ReturnCode.BAD_MODE);
        tpm.send("Unseal", SRK, stored).is(ReturnCode.BADTAG);
    }

    @Test
    void aParentThatNeedsNoAuthorisationLeavesTheDatas() {
        int parent = GuestKey.storage().withAuthDataUsage(0).load(tpm);
        byte[] stored = seal("Seal", parent, USAGE_AUTH, 0, NONE, DATA).parameters();
        tpm.authorized(tpm.oiap(WRONG), false, "Unseal", u32(parent), stored).is(ReturnCode.AUTHFAIL);
        assertThat(tpm.authorized(tpm.oiap(DATA_AUTH), false, "Unseal", u32(parent), stored)
                        .is(ReturnCode.SUCCESS)
                        .parameters())
                .isEqualTo(sized(DATA));
        byte[] encrypted = seal("Sealx", parent, USAGE_AUTH, 0, NONE, DATA).parameters();
        tpm.authorized(tpm.oiap(DATA_AUTH), false, "Unseal", u32(parent), encrypted)
                .is(ReturnCode.AUTHFAIL);
    }

    @Test
    void onlyFixedStorageKeysSeal() {
        int signing = GuestKey.signing().load(tpm);
        seal("Seal", signing, USAGE_AUTH, 0, NONE, DATA).is(ReturnCode.INVALID_KEYUSAGE);
        int migratable = GuestKey.storage().withFlags(GuestKey.MIGRATABLE).load(tpm);
        seal("Seal", migratable, USAGE_AUTH, 0, NONE, DATA).is(ReturnCode.INVALID_KEYUSAGE);
        tpm.authorized(tpm.oiap(SRK_AUTH), false, "Seal", SRK, WRONG, sized(NONE), sized(DATA))
                .is(ReturnCode.BAD_MODE);
        seal("Seal", Handles.SRK, WRONG, 0, NONE, DATA).is(ReturnCode.AUTHFAIL);
    }

    @Test
    void dataTravelsEncryptedBothWays() {
        for (int scheme : new int[] {0, AES}) {
            byte[] stored = seal("Sealx", Handles.SRK, SRK_AUTH, scheme, infoLong(1), DATA)
                    .is(ReturnCode.SUCCESS)
                    .parameters();
            assertThat(Arrays.copyOf(stored, 4)).isEqualTo(concat(u16(0x0016), u16(scheme == 0 ? 5 : AES)));
            tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(DATA_AUTH), "Unseal", SRK, stored)
                    .is(ReturnCode.BAD_MODE);
            GuestSession session = tpm.osap(EntityType.KEY_HANDLE, Handles.SRK, SRK_AUTH);
            byte[] mask = mask(session, scheme, DATA.length);
            byte[] answer = tpm.authorized(session, tpm.oiap(DATA_AUTH), "Unseal", SRK, stored)
                    .is(ReturnCode.SUCCESS)
                    .parameters();
            assertThat(answer).isEqualTo(sized(xor(DATA, mask))).isNotEqualTo(sized(DATA));
        }
    }

    private TestTpm.Response seal(String command, byte[] info, byte[] data) {
        return seal(command, Handles.SRK, SRK_AUTH, 0, info, data);
    }

    private TestTpm.Response seal(String command, int key, byte[] keyAuth, int scheme, byte[] info, byte[] data) {
        GuestSession session = tpm.osap(scheme | EntityType.KEY_HANDLE, key, keyAuth);
        byte[] sent = command.equals("Sealx") ? xor(data, mask(session, scheme, data.length)) : data;
        byte[] encAuth = scheme == AES
                ? AesCtr.apply(Arrays.copyOf(session.key, 16), Arrays.copyOf(session.nonceEven, 16), DATA_AUTH)
                : tpm.encrypted(session, DATA_AUTH);
        TestTpm.Response response = tpm.authorized(session, true, command, u32(key), encAuth, sized(info), sized(sent));
        assertThat(session.open && response.code() == 0).isFalse();
        return response;
    }

    private TestTpm.Response unseal(byte[] stored) {
        return tpm.authorized(tpm.oiap(SRK_AUTH), tpm.oiap(DATA_AUTH), "Unseal", SRK, stored);
    }

    /** What the session's next command covers data with. */
    private byte[] mask(GuestSession session, int scheme, int length) {
        byte[] nonceOdd = tpm.nonceOdd(session);
        return scheme == AES
                ? AesCtr.apply(
                        Arrays.copyOf(session.key, 16),
                        Arrays.copyOf(Sha1.of(session.nonceEven, nonceOdd), 16),
                        new byte[length])
                : Mgf1.sha1(concat(session.nonceEven, nonceOdd, new byte[] {'X', 'O', 'R'}, session.key), length);
    }

    private static byte[] infoLong(int localities) {
        return concat(u16(6), u8(0x1F), u8(localities), PCR_16, PCR_16, WRONG, UNTOUCHED);
    }

    private static byte[] xor(byte[] a, byte[] b) {
        byte[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] ^= b[i];
        }
        return sum;
    }
}
