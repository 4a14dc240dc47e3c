package org.vtpm.itests.imported;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * What a guest has in its TPM and outside of it: an owner, keys, sealed data, NV areas, counters, delegations, settings.
 *
 * @param wrappedKey a signing key below the storage root key, as a TPM_KEY
 * @param evictHandle where a key lies that only the owner can evict
 * @param evictKey that key, as a TPM_KEY
 * @param sealed {@link #SECRET}, sealed by the storage root key, as a TPM_STORED_DATA
 * @param counterId a counter that was incremented
 */
public record Belongings(byte[] wrappedKey, int evictHandle, byte[] evictKey, byte[] sealed, int counterId) {
    static final byte[] OWNER = secret("owner");
    static final byte[] SRK = secret("srk");
    static final byte[] KEY = secret("key");
    public static final byte[] SECRET = "what nobody else knows".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] AREA = secret("area");
    private static final byte[] COUNTER = secret("counter");
    private static final byte[] DATA = secret("data");

    private static final int NV_AUTH = 0x1100;
    private static final int NV_OWNER = 0x1101;
    private static final int NV_LOCKED = 0x1102;
    private static final int NV_PCR = 0x1103;
    private static final int NV_SIZE = 32;
    private static final int WRITEDEFINE = 0x2000;

    private static final int CAP_FLAG_PERMANENT = 0x108;
    private static final int FLAG_READ_SRK_PUB = 17;
    private static final int DISABLE_OWNER_CLEAR = 5;
    private static final int OWNER_EVICT = 1;
    private static final int RT_KEY = 1;

    /** Offsets in a TPM_KEY of 2048 bits without PCRs. */
    private static final int PARMS = 11;

    private static final int PCR_INFO = 35;
    private static final int PUBKEY = 39;
    private static final int KEY_END = PUBKEY + 4 + 256;

    private static byte[] secret(String word) {
        return sha1(word.getBytes(StandardCharsets.US_ASCII));
    }

    /** Makes a factory-new TPM the guest's own. */
    public static Belongings acquire(Tpm12Client tpm) throws IOException {
        tpm.startup(Structures.ST_CLEAR).orFail();
        tpm.createEndorsementKey().orFail();
        tpm.takeOwnership(OWNER, SRK).orFail();
        tpm.nvDefine(-1, 0, 0).orFail();

        define(tpm, Structures.nvPublic(NV_AUTH, NV_SIZE, Structures.NV_PER_AUTHREAD | Structures.NV_PER_AUTHWRITE));
        tpm.execute(Ordinal.NV_WRITE_VALUE_AUTH, concat(u32(NV_AUTH), u32(4), sized(DATA)), Auth.once(tpm.oiap(), AREA))
                .orFail();
        define(tpm, Structures.nvPublic(NV_OWNER, NV_SIZE, Structures.NV_PER_OWNERREAD | Structures.NV_PER_OWNERWRITE));
        tpm.nvWrite(NV_OWNER, 0, DATA, Auth.once(tpm.oiap(), OWNER)).orFail();
        define(
                tpm,
                Structures.nvPublic(
                        NV_LOCKED, NV_SIZE, Structures.NV_PER_OWNERREAD | Structures.NV_PER_OWNERWRITE | WRITEDEFINE));
        tpm.nvWrite(NV_LOCKED, 8, DATA, Auth.once(tpm.oiap(), OWNER)).orFail();
        tpm.nvWrite(NV_LOCKED, 0, new byte[0], Auth.once(tpm.oiap(), OWNER)).orFail();
        byte[] selection = Structures.pcrSelection(3, 10);
        byte[] atReset = Structures.pcrInfoShort(selection, 0x1F, sha1(selection, u32(20), zeros()));
        define(
                tpm,
                Structures.nvPublic(
                        NV_PCR,
                        atReset,
                        Structures.anyPcr(),
                        Structures.NV_PER_OWNERREAD | Structures.NV_PER_OWNERWRITE,
                        NV_SIZE));
        tpm.nvWrite(NV_PCR, 0, DATA, Auth.once(tpm.oiap(), OWNER)).orFail();

        byte[] wrapped = createKey(tpm);
        byte[] evict = createKey(tpm);
        int evictHandle = load(tpm, evict);
        byte[] pubkey = concat(Arrays.copyOfRange(evict, PARMS, PCR_INFO), Arrays.copyOfRange(evict, PUBKEY, KEY_END));
        tpm.execute(
                        Ordinal.KEY_CONTROL_OWNER,
                        u32(evictHandle),
                        concat(pubkey, u32(OWNER_EVICT), u8(1)),
                        Auth.once(tpm.oiap(), OWNER))
                .orFail();

        Session srk = tpm.osap(Structures.ET_SRK, Structures.SRK, SRK);
        byte[] sealed = tpm.execute(
                        Ordinal.SEAL,
                        u32(Structures.SRK),
                        concat(srk.encryptXor(DATA), u32(0), sized(SECRET)),
                        Auth.once(srk, SRK))
                .orFail()
                .body();

        int counter = createCounter(tpm);
        int released = createCounter(tpm);
        for (int i = 0; i < 3; i++) {
            tpm.execute(Ordinal.INCREMENT_COUNTER, u32(counter), Auth.once(tpm.oiap(), COUNTER))
                    .orFail();
        }
        tpm.execute(Ordinal.RELEASE_COUNTER_OWNER, u32(released), Auth.once(tpm.oiap(), OWNER))
                .orFail();

        delegate(tpm);
        tpm.execute(Ordinal.DIR_WRITE_AUTH, concat(u32(0), DATA), Auth.once(tpm.oiap(), OWNER))
                .orFail();
        tpm.execute(
                        Ordinal.SET_ORDINAL_AUDIT_STATUS,
                        concat(u32(Ordinal.PCR_READ.code()), u8(1)),
                        Auth.once(tpm.oiap(), OWNER))
                .orFail();
        tpm.pcrRead(0).orFail();
        tpm.execute(
                        Ordinal.SET_CAPABILITY,
                        concat(u32(1), sized(u32(FLAG_READ_SRK_PUB)), sized(u8(1))),
                        Auth.once(tpm.oiap(), OWNER))
                .orFail();
        tpm.execute(Ordinal.DISABLE_OWNER_CLEAR, new byte[0], Auth.once(tpm.oiap(), OWNER))
                .orFail();
        return new Belongings(wrapped, evictHandle, evict, sealed, counter);
    }

    /** All that the TPM tells of itself, by what was asked; the TPM has been started. */
    public Map<String, String> inventory(Tpm12Client tpm) throws IOException {
        Map<String, String> answers = new LinkedHashMap<>();
        for (int key : new int[] {Structures.ENDORSEMENT_KEY, Structures.SRK}) {
            put(
                    answers,
                    "internal key " + key,
                    tpm.execute(Ordinal.OWNER_READ_INTERNAL_PUB, u32(key), Auth.once(tpm.oiap(), OWNER)));
        }
        put(answers, "flags", tpm.getCapability(Structures.CAP_FLAG, u32(CAP_FLAG_PERMANENT)));
        put(answers, "NV", tpm.getCapability(Structures.CAP_NV_LIST, new byte[0]));
        for (int index : new int[] {NV_AUTH, NV_OWNER, NV_LOCKED, NV_PCR}) {
            put(answers, "NV area " + index, tpm.getCapability(Structures.CAP_NV_INDEX, u32(index)));
        }
        put(
                answers,
                "NV data " + NV_AUTH,
                tpm.execute(
                        Ordinal.NV_READ_VALUE_AUTH,
                        concat(u32(NV_AUTH), u32(0), u32(NV_SIZE)),
                        Auth.once(tpm.oiap(), AREA)));
        for (int index : new int[] {NV_OWNER, NV_LOCKED, NV_PCR}) {
            put(answers, "NV data " + index, tpm.nvRead(index, 0, NV_SIZE, Auth.once(tpm.oiap(), OWNER)));
        }
        put(answers, "keys", tpm.getCapability(Structures.CAP_HANDLE, u32(RT_KEY)));
        put(answers, "DIR", tpm.execute(Ordinal.DIR_READ, u32(0)));
        put(answers, "counter", tpm.execute(Ordinal.READ_COUNTER, u32(counterId)));
        put(answers, "delegation", tpm.execute(Ordinal.DELEGATE_READ_TABLE, new byte[0]));
        return answers;
    }

    /** The code with which a write is answered to an area that was locked for good. */
    static int writeLocked(Tpm12Client tpm) throws IOException {
        return tpm.nvWrite(NV_LOCKED, 0, DATA, Auth.once(tpm.oiap(), OWNER)).code();
    }

    /** What the sealed data holds. */
    public byte[] unseal(Tpm12Client tpm) throws IOException {
        Response unsealed = tpm.execute(
                Ordinal.UNSEAL, u32(Structures.SRK), sealed, Auth.once(tpm.oiap(), SRK), Auth.once(tpm.oiap(), DATA));
        return Arrays.copyOfRange(unsealed.orFail().body(), 4, unsealed.body().length);
    }

    /** Loads the wrapped key and signs with it. */
    public boolean wrappedKeySigns(Tpm12Client tpm) throws IOException, GeneralSecurityException {
        return signs(tpm, load(tpm, wrappedKey), wrappedKey);
    }

    /** Signs with the key that only the owner can evict. */
    boolean evictKeySigns(Tpm12Client tpm) throws IOException, GeneralSecurityException {
        return signs(tpm, evictHandle, evictKey);
    }

    /** The next value of the counter. */
    int increment(Tpm12Client tpm) throws IOException {
        return tpm.execute(Ordinal.INCREMENT_COUNTER, u32(counterId), Auth.once(tpm.oiap(), COUNTER))
                .orFail()
                .u32(6);
    }

    private static boolean signs(Tpm12Client tpm, int handle, byte[] key) throws IOException, GeneralSecurityException {
        Response signed = tpm.execute(Ordinal.SIGN, u32(handle), sized(sha1(SECRET)), Auth.once(tpm.oiap(), KEY));
        Signature rsa = Signature.getInstance("SHA1withRSA");
        rsa.initVerify(KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(
                        new BigInteger(1, Arrays.copyOfRange(key, PUBKEY + 4, KEY_END)), BigInteger.valueOf(65537))));
        rsa.update(SECRET);
        return rsa.verify(signed.orFail().body(), 4, 256);
    }

    private static void put(Map<String, String> answers, String question, Response answer) {
        answers.put(question, HexFormat.of().formatHex(answer.orFail().body()));
    }

    private static void define(Tpm12Client tpm, byte[] area) throws IOException {
        Session owner = tpm.osap(Structures.ET_OWNER, Structures.OWNER, OWNER);
        tpm.execute(Ordinal.NV_DEFINE_SPACE, concat(area, owner.encryptXor(AREA)), Auth.once(owner, OWNER))
                .orFail();
    }

    /** A key that signs; it can not be migrated, so that nobody looks at its second secret. */
    private static byte[] createKey(Tpm12Client tpm) throws IOException {
        byte[] version = {1, 1, 0, 0};
        byte[] template =
                concat(version, u16(0x10), u32(0), u8(1), Structures.rsaParms(1, 2, 2048), u32(0), u32(0), u32(0));
        Session srk = tpm.osap(Structures.ET_SRK, Structures.SRK, SRK);
        return tpm.execute(
                        Ordinal.CREATE_WRAP_KEY,
                        u32(Structures.SRK),
                        concat(srk.encryptXor(KEY), zeros(), template),
                        Auth.once(srk, SRK))
                .orFail()
                .body();
    }

    /** The response's handle is authorized by nothing. */
    private static int load(Tpm12Client tpm, byte[] key) throws IOException {
        Response loaded = tpm.execute(Ordinal.LOAD_KEY2, u32(Structures.SRK), key, Auth.once(tpm.oiap(), SRK));
        if (!loaded.ok()) {
            throw new AssertionError("the key was not loaded: " + loaded);
        }
        return loaded.u32(0);
    }

    private static int createCounter(Tpm12Client tpm) throws IOException {
        return createCounterResponse(tpm).u32(0);
    }

    private static Response createCounterResponse(Tpm12Client tpm) throws IOException {
        Session owner = tpm.osap(Structures.ET_OWNER, Structures.OWNER, OWNER);
        return tpm.execute(
                        Ordinal.CREATE_COUNTER,
                        concat(owner.encryptXor(COUNTER), u32(0x41424344)),
                        Auth.once(owner, OWNER))
                .orFail();
    }

    /** A family with one delegation, in the TPM's table. */
    private static void delegate(Tpm12Client tpm) throws IOException {
        int family = manage(tpm, 0, 1, u8('F')).u32(4);
        manage(tpm, family, 2, u8(1));
        byte[] pub = concat(
                u16(0x1B),
                u8('D'),
                Structures.anyPcr(),
                u16(0x1A),
                u32(1),
                u32(1 << DISABLE_OWNER_CLEAR),
                u32(0),
                u32(family),
                u32(0));
        Session owner = tpm.osap(Structures.ET_OWNER, Structures.OWNER, OWNER);
        byte[] blob = tpm.execute(
                        Ordinal.DELEGATE_CREATE_OWNER_DELEGATION,
                        concat(u8(0), pub, owner.encryptXor(KEY)),
                        Auth.once(owner, OWNER))
                .orFail()
                .body();
        tpm.execute(Ordinal.DELEGATE_LOAD_OWNER_DELEGATION, concat(u32(1), blob), Auth.once(tpm.oiap(), OWNER))
                .orFail();
    }

    private static Response manage(Tpm12Client tpm, int family, int operation, byte[] data) throws IOException {
        return tpm.execute(
                        Ordinal.DELEGATE_MANAGE,
                        concat(u32(family), u32(operation), sized(data)),
                        Auth.once(tpm.oiap(), OWNER))
                .orFail();
    }
}
