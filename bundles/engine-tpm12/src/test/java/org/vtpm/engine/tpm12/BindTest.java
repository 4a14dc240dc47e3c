package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.GuestKey.USAGE_AUTH;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Rsa;
import org.vtpm.crypto.RsaException;
import org.vtpm.crypto.RsaPublicKey;
import org.vtpm.engine.tpm12.structure.KeyUsage;
import org.vtpm.engine.tpm12.structure.ReturnCode;

class BindTest {
    private static final byte[] TCPA = "TCPA".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] BOUND = HexFormat.of().parseHex("0101000002");
    private static final byte[] DATA = {9, 8, 7};
    private static final int PKCS1 = 2;
    private static final int OAEP = 3;
    private static final int NO_SIG = 1;
    private static final int SIG_SHA1 = 2;

    private final TestTpm tpm = TestTpm.started();
    private final Rsa rsa = new Rsa(JavaBigNumberProvider::new, new SecureRandom());

    @BeforeEach
    void own() {
        GuestOwner.withNewEk(tpm).takeOwnership();
    }

    @Test
    void boundDataIsUnwrapped() throws RsaException {
        for (int scheme : new int[] {PKCS1, OAEP}) {
            int key = load(KeyUsage.BIND, scheme, NO_SIG);
            assertThat(unbind(key, scheme, concat(BOUND, DATA))).isEqualTo(sized(DATA));
            assertThat(unbind(key, scheme, BOUND)).isEqualTo(sized(new byte[0]));
            send(key, encrypt(key, scheme, concat(HexFormat.of().parseHex("0101000003"), DATA)))
                    .is(ReturnCode.INVALID_STRUCTURE);
            send(key, encrypt(key, scheme, DATA)).is(ReturnCode.BAD_PARAM_SIZE);
            send(key, encrypt(key, scheme, new byte[5])).is(ReturnCode.BAD_VERSION);
        }
    }

    @Test
    void aLegacyKeyOfTheOldSchemeDecryptsAnything() throws RsaException {
        int old = load(KeyUsage.LEGACY, PKCS1, SIG_SHA1);
        assertThat(unbind(old, PKCS1, DATA)).isEqualTo(sized(DATA));
        int oaep = load(KeyUsage.LEGACY, OAEP, SIG_SHA1);
        assertThat(unbind(oaep, OAEP, concat(BOUND, DATA))).isEqualTo(sized(DATA));
        send(oaep, encrypt(oaep, OAEP, new byte[5])).is(ReturnCode.BAD_VERSION);
    }

    @Test
    void whatWasNotEncryptedForTheKeyIsRefused() {
        int key = load(KeyUsage.BIND, OAEP, NO_SIG);
        send(key, new byte[0]).is(ReturnCode.BAD_PARAMETER);
        send(key, new byte[128]).is(ReturnCode.DECRYPT_ERROR);
        send(key, new byte[129]).is(ReturnCode.BAD_DATASIZE);
        tpm.send("UnBind", u32(key), sized(new byte[128])).is(ReturnCode.AUTHFAIL);
        send(GuestKey.signing().load(tpm), new byte[64]).is(ReturnCode.INVALID_KEYUSAGE);
        send(GuestKey.storage().load(tpm), new byte[256]).is(ReturnCode.INVALID_KEYUSAGE);
    }

    private int load(int usage, int enc, int sig) {
        return GuestKey.of(usage, 0, 1, enc, sig, 1024, new byte[0]).load(tpm);
    }

    private byte[] unbind(int key, int scheme, byte[] plain) throws RsaException {
        return send(key, encrypt(key, scheme, plain)).is(ReturnCode.SUCCESS).parameters();
    }

    private TestTpm.Response send(int key, byte[] data) {
        return tpm.authorized(tpm.oiap(USAGE_AUTH), false, "UnBind", u32(key), sized(data));
    }

    private byte[] encrypt(int key, int scheme, byte[] plain) throws RsaException {
        byte[] pubkey = tpm.authorized(tpm.oiap(USAGE_AUTH), false, "GetPubKey", u32(key))
                .is(ReturnCode.SUCCESS)
                .parameters();
        RsaPublicKey publicKey =
                new RsaPublicKey(Arrays.copyOfRange(pubkey, pubkey.length - 128, pubkey.length), RsaPublicKey.F4);
        return scheme == PKCS1 ? rsa.encryptPkcs1(publicKey, plain) : rsa.encryptOaep(publicKey, TCPA, plain);
    }
}
