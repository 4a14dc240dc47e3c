package org.vtpm.itests.fuzz;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Wire;

/**
 * Blobs as a guest gives them back to its TPM: keys, sealed and bound data, contexts, delegations, migration blobs and
 * maintenance archives. Some are the TPM's own with a few bytes changed; others, where only a public key protects the
 * inside, are made up by the guest, so that what the TPM decrypts is the input's too.
 */
public final class Blobs {
    private static final int RT_KEY = 1;
    private static final int ET_DEL_OWNER_BLOB = 7;
    private static final int KEY_BITS = 512;
    private static final int USAGE_STORAGE = 0x11;
    private static final int USAGE_BIND = 0x14;
    private static final int USAGE_LEGACY = 0x15;
    private static final int SRK_BYTES = 256;
    /** Most that OAEP takes under a key of 2048 bits. */
    private static final int MOST_SECRET = 214;

    private static final byte PAYLOAD_KEY = 1;
    private static final byte PAYLOAD_BOUND = 2;
    private static final int LONGEST = 1024;

    private static final int MIGRATABLE = 2;
    private static final int MIGRATE = 1;

    /** Of the guest's own key. */
    private static final BigInteger[] PRIMES = primes();

    private static final byte[] PRIME = unsigned(PRIMES[0], KEY_BITS / 2);
    private static final BigInteger MODULUS = PRIMES[0].multiply(PRIMES[1]);

    private static final FuzzGuest GUEST = new FuzzGuest();
    private static final Stock STOCK = Stock.make();

    /** What the same TPM gave out earlier. */
    private record Stock(
            BigInteger srk, byte[] key, byte[] sealed, byte[] delegation, byte[] migration, byte[] migrationRandom) {
        static Stock make() {
            try (FuzzTpm tpm = GUEST.tpm()) {
                Guest guest = new Guest(tpm);
                byte[] pub = guest.authorized("OwnerReadInternalPub", new byte[0], u32(Structures.SRK))
                        .orFail()
                        .body();
                byte[] template = keyHeader(USAGE_LEGACY, 2, concat(sized(new byte[0]), sized(new byte[0])));
                byte[] key = body(guest.entity(
                        "CreateWrapKey",
                        u32(Structures.SRK),
                        Structures.ET_SRK,
                        Structures.SRK,
                        pad -> concat(pad, pad, template)));
                byte[] sealed = body(guest.entity(
                        "Seal",
                        u32(Structures.SRK),
                        Structures.ET_SRK,
                        Structures.SRK,
                        pad -> concat(pad, sized(new byte[0]), sized(new byte[] {1, 2, 3}))));
                guest.authorized("Delegate_Manage", new byte[0], concat(u32(0), u32(1), sized(u8('f'))))
                        .orFail();
                byte[] pcrs = Structures.anyPcr();
                byte[] publicInfo =
                        concat(u16(0x1B), u8('d'), pcrs, u16(0x1A), u32(1), u32(-1), u32(0), u32(1), u32(1));
                byte[] delegation = body(guest.entity(
                        "Delegate_CreateOwnerDelegation",
                        new byte[0],
                        Structures.ET_OWNER,
                        Structures.OWNER,
                        pad -> concat(u8(0), publicInfo, pad)));
                BigInteger srk = Structures.modulus(pub, 0);
                byte[] secret = secretKey(PAYLOAD_KEY, USAGE_LEGACY, MIGRATABLE, PRIME);
                byte[] destination =
                        body(guest.authorized("AuthorizeMigrationKey", new byte[0], concat(u16(MIGRATE), pub)));
                byte[] migration = body(guest.authorizedTwice(
                        "CreateMigrationBlob",
                        u32(Structures.SRK),
                        concat(u16(MIGRATE), destination, sized(Structures.oaep(srk, secret)))));
                ByteBuffer parts = ByteBuffer.wrap(migration);
                byte[] migrationRandom = part(parts);
                byte[] migrated = part(parts);
                return new Stock(srk, key, sealed, delegation, migrated, migrationRandom);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private static byte[] part(ByteBuffer from) {
            byte[] part = new byte[from.getInt()];
            from.get(part);
            return part;
        }

        private static byte[] body(Response response) throws IOException {
            return response.orFail().body();
        }
    }

    private Blobs() {}

    /** The fuzzer's entry. */
    public static void fuzzerTestOneInput(FuzzedDataProvider input) throws IOException {
        try (FuzzTpm tpm = GUEST.tpm()) {
            Guest guest = new Guest(tpm);
            switch (input.consumeInt(0, 8)) {
                case 0 -> guest.load(changed(input, STOCK.key()));
                case 1 ->
                    guest.load(madeUpKey(input, input.pickValue(new int[] {USAGE_STORAGE, USAGE_BIND, USAGE_LEGACY})));
                case 2 -> guest.authorizedTwice("Unseal", u32(Structures.SRK), changed(input, STOCK.sealed()));
                case 3 -> guest.authorizedTwice("Unseal", u32(Structures.SRK), madeUpSealed(input));
                case 4 -> unbind(guest, input);
                case 5 -> context(guest, input);
                case 6 -> delegation(guest, input);
                case 7 -> migrate(guest, input);
                default -> maintain(guest, input);
            }
        }
    }

    /** The TPM loads a key that the guest made, and gets something encrypted with it. */
    private static void unbind(Guest guest, FuzzedDataProvider input) throws IOException {
        Response loaded =
                guest.load(key(USAGE_BIND, MIGRATABLE, secretKey(PAYLOAD_KEY, USAGE_BIND, MIGRATABLE, PRIME)));
        byte[] bound = concat(new byte[] {1, 1, 0, 0, PAYLOAD_BOUND}, rest(input, 17));
        guest.authorized(
                "UnBind",
                u32(loaded.orFail().u32(0)),
                sized(input.consumeBoolean() ? Structures.oaep(MODULUS, bound) : rest(input, LONGEST)));
    }

    private static void context(Guest guest, FuzzedDataProvider input) throws IOException {
        boolean session = input.consumeBoolean();
        int handle = session
                ? guest.client().oiap().handle()
                : guest.load(STOCK.key()).orFail().u32(0);
        byte[] saved = guest.plain("SaveContext", u32(handle), u32(session ? Structures.RT_AUTH : RT_KEY), new byte[16])
                .orFail()
                .body();
        byte[] blob = Arrays.copyOfRange(saved, Integer.BYTES, saved.length);
        guest.plain("LoadContext", u32(handle), u8(input.consumeByte()), sized(changed(input, blob)));
    }

    private static void delegation(Guest guest, FuzzedDataProvider input) throws IOException {
        byte[] blob = Arrays.copyOfRange(STOCK.delegation(), Integer.BYTES, STOCK.delegation().length);
        byte[] other = changed(input, blob);
        switch (input.consumeInt(0, 3)) {
            case 0 -> guest.plain("Delegate_VerifyDelegation", sized(other));
            case 1 -> guest.plain("Delegate_LoadOwnerDelegation", u32(input.consumeInt(0, 3)), sized(other));
            case 2 -> guest.authorized("Delegate_UpdateVerification", new byte[0], sized(other));
            default -> guest.plain("DSAP", u16(ET_DEL_OWNER_BLOB), u32(Structures.OWNER), Wire.zeros(), sized(other));
        }
    }

    private static void migrate(Guest guest, FuzzedDataProvider input) throws IOException {
        byte[] random = input.consumeBoolean() ? changed(input, STOCK.migrationRandom()) : rest(input, MOST_SECRET);
        byte[] outer =
                input.consumeBoolean() ? Structures.oaep(STOCK.srk(), rest(input, MOST_SECRET)) : STOCK.migration();
        guest.authorized(
                "ConvertMigrationBlob", u32(Structures.SRK), concat(sized(changed(input, outer)), sized(random)));
    }

    private static void maintain(Guest guest, FuzzedDataProvider input) throws IOException {
        guest.authorized("LoadMaintenanceArchive", new byte[0], sized(rest(input, LONGEST)));
        guest.plain("LoadManuMaintPub", Wire.zeros(), rest(input, LONGEST));
    }

    // Blobs

    private static byte[] madeUpKey(FuzzedDataProvider input, int usage) {
        int flags = input.consumeInt(0, 0x1F);
        byte[] secret = input.consumeBoolean()
                ? secretKey(input.consumeByte(), usage, flags, input.consumeBoolean() ? PRIME : rest(input, 128))
                : rest(input, MOST_SECRET);
        return changed(input, key(usage, flags, secret));
    }

    private static byte[] madeUpSealed(FuzzedDataProvider input) {
        byte[] head = Arrays.copyOf(STOCK.sealed(), STOCK.sealed().length - SRK_BYTES);
        return concat(head, Structures.oaep(STOCK.srk(), rest(input, MOST_SECRET)));
    }

    /** A TPM_KEY of the guest's own RSA key, wrapped for the storage root key (TPM Main Part 2, section 10.2). */
    private static byte[] key(int usage, int flags, byte[] secret) {
        return concat(publicPart(usage, flags), sized(Structures.oaep(STOCK.srk(), secret)));
    }

    private static byte[] publicPart(int usage, int flags) {
        return keyHeader(usage, flags, concat(sized(new byte[0]), sized(unsigned(MODULUS, KEY_BITS))));
    }

    private static byte[] keyHeader(int usage, int flags, byte[] pcrsAndModulus) {
        int bits = pcrsAndModulus.length > 2 * Integer.BYTES ? KEY_BITS : 2048;
        int signature = usage == USAGE_LEGACY ? 2 : 1;
        byte[] head =
                concat(new byte[] {1, 1, 0, 0}, u16(usage), u32(flags), u8(1), Structures.rsaParms(3, signature, bits));
        return concat(head, pcrsAndModulus, bits == KEY_BITS ? new byte[0] : sized(new byte[0]));
    }

    /** TPM_STORE_ASYMKEY (section 10.6) of the guest's own key. */
    private static byte[] secretKey(byte payload, int usage, int flags, byte[] prime) {
        return concat(new byte[] {payload}, Wire.zeros(), Wire.zeros(), sha1(publicPart(usage, flags)), sized(prime));
    }

    private static BigInteger[] primes() {
        Random random = new Random(2);
        return new BigInteger[] {
            BigInteger.probablePrime(KEY_BITS / 2, random), BigInteger.probablePrime(KEY_BITS / 2, random)
        };
    }

    private static byte[] unsigned(BigInteger number, int bits) {
        byte[] bytes = number.toByteArray();
        return Arrays.copyOfRange(bytes, bytes.length - bits / Byte.SIZE, bytes.length);
    }

    private static byte[] rest(FuzzedDataProvider input, int most) {
        return input.consumeBytes(input.consumeInt(0, most));
    }

    /** The same with up to three bytes changed, and perhaps cut off or with more behind. */
    private static byte[] changed(FuzzedDataProvider input, byte[] blob) {
        byte[] other = blob.clone();
        for (int changes = input.consumeInt(0, 3); changes > 0; changes--) {
            other[input.consumeInt(0, other.length - 1)] = input.consumeByte();
        }
        return switch (input.consumeInt(0, 7)) {
            case 0 -> Arrays.copyOf(other, input.consumeInt(0, other.length));
            case 1 -> concat(other, rest(input, LONGEST));
            default -> other;
        };
    }
}
