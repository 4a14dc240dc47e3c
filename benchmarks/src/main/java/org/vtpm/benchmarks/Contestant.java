package org.vtpm.benchmarks;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * One of the TPMs that are compared, with what a guest needs for every command that is measured: an owner, an NV area, a
 * signing key and sealed data. Only the named command's own round trips count; sessions that it needs are opened before, and
 * what it leaves behind is flushed after.
 */
final class Contestant implements AutoCloseable {
    private static final byte[] OWNER = secret("owner");
    private static final byte[] SRK = secret("srk");
    private static final byte[] KEY = secret("key");
    private static final byte[] DATA = secret("data");

    private static final byte[] NOTHING = {};
    private static final int NV_INDEX = 0x1101;
    private static final int NV_SIZE = 64;
    private static final int MANUFACTURER = 0x103;
    private static final int PCR = 10;
    private static final int SHA1_BYTES = 1024;

    /** A command, or a few that belong together, with all it needs. */
    @FunctionalInterface
    interface Operation {
        void run(Contestant contestant) throws IOException;
    }

    /** An operation with its name, for people. */
    record Named(String name, Operation operation) {}

    /** Writes an NV area, with the owner's authorization. */
    static final Operation NV_WRITE = Contestant::nvWrite;

    /** Commands that neither use a private key nor store anything. */
    static final List<Named> QUICK = List.of(
            new Named("GetCapability", Contestant::getCapability),
            new Named("GetRandom(32)", Contestant::getRandom),
            new Named("PCRRead", Contestant::pcrRead),
            new Named("Extend", Contestant::extend),
            new Named("SHA1Start, Update(1024), Complete", Contestant::hash),
            new Named("OIAP, Terminate_Handle", Contestant::openAndTerminate),
            new Named("NV_ReadValue(64), owner", Contestant::nvRead),
            new Named("Seal", Contestant::seal));

    /** Commands that store something. */
    static final List<Named> STORING =
            List.of(new Named("NV_WriteValue(64), owner", NV_WRITE), new Named("SaveState", Contestant::saveState));

    /** Commands that use a private key. */
    static final List<Named> RSA = List.of(
            new Named("Unseal", Contestant::unseal),
            new Named("Sign", Contestant::sign),
            new Named("Quote", Contestant::quote),
            new Named("LoadKey2", Contestant::loadAndFlush));

    /** Commands that make a private key. */
    static final List<Named> KEY_GENERATION = List.of(new Named("CreateWrapKey", Contestant::createWrapKey));

    /** What is measured of it. */
    @FunctionalInterface
    private interface Exchange {
        Response run() throws IOException;
    }

    private final TimedSocket socket;
    private final Tpm12Client tpm;
    private final Session ownerSession;
    private final byte[] wrappedKey;
    private final int key;
    private final byte[] sealed;
    private long measured;
    private byte written;

    /** Takes ownership of a TPM that has been started, and has an endorsement key. */
    Contestant(TimedSocket socket) throws IOException {
        this.socket = socket;
        this.tpm = new Tpm12Client(socket, new SplittableRandom(1));
        tpm.takeOwnership(OWNER, SRK).orFail();
        defineNv();
        ownerSession = tpm.oiap();
        wrappedKey = createWrapKey();
        key = loadKey();
        sealed = seal();
    }

    private static byte[] secret(String word) {
        return sha1(word.getBytes(StandardCharsets.US_ASCII));
    }

    /** Runs an operation of this contestant's; answers how long what is measured of it took, in nanoseconds. */
    long time(Operation operation) throws IOException {
        operation.run(this);
        return measured;
    }

    private byte[] measure(Exchange exchange) throws IOException {
        socket.lap();
        Response response = exchange.run();
        measured = socket.lap();
        return response.orFail().body();
    }

    private void getCapability() throws IOException {
        measure(() -> tpm.getCapability(Structures.CAP_PROPERTY, u32(MANUFACTURER)));
    }

    private void getRandom() throws IOException {
        measure(() -> tpm.getRandom(32));
    }

    private void pcrRead() throws IOException {
        measure(() -> tpm.pcrRead(PCR));
    }

    private void extend() throws IOException {
        byte[] digest = tpm.nonce();
        measure(() -> tpm.extend(PCR, digest));
    }

    private void hash() throws IOException {
        measure(() -> {
            tpm.execute(Ordinal.SHA1_START, NOTHING).orFail();
            tpm.execute(Ordinal.SHA1_UPDATE, sized(new byte[SHA1_BYTES])).orFail();
            return tpm.execute(Ordinal.SHA1_COMPLETE, sized(NOTHING));
        });
    }

    private void openAndTerminate() throws IOException {
        measure(() -> tpm.execute(Ordinal.TERMINATE_HANDLE, u32(tpm.oiap().handle())));
    }

    private void nvRead() throws IOException {
        measure(() -> tpm.nvRead(NV_INDEX, 0, NV_SIZE, owner()));
    }

    private void saveState() throws IOException {
        measure(() -> tpm.execute(Ordinal.SAVE_STATE, NOTHING));
    }

    private Auth owner() {
        return Auth.continued(ownerSession, OWNER);
    }

    private void defineNv() throws IOException {
        Session owner = tpm.osap(Structures.ET_OWNER, Structures.OWNER, OWNER);
        byte[] area =
                Structures.nvPublic(NV_INDEX, NV_SIZE, Structures.NV_PER_OWNERREAD | Structures.NV_PER_OWNERWRITE);
        tpm.execute(Ordinal.NV_DEFINE_SPACE, concat(area, owner.encryptXor(DATA)), Auth.once(owner, OWNER))
                .orFail();
    }

    private void nvWrite() throws IOException {
        byte[] data = new byte[NV_SIZE];
        Arrays.fill(data, written++);
        measure(() -> tpm.nvWrite(NV_INDEX, 0, data, owner()));
    }

    private byte[] createWrapKey() throws IOException {
        byte[] version = {1, 1, 0, 0};
        byte[] template =
                concat(version, u16(0x10), u32(0), u8(1), Structures.rsaParms(1, 2, 2048), u32(0), u32(0), u32(0));
        Session srk = tpm.osap(Structures.ET_SRK, Structures.SRK, SRK);
        byte[] parameters = concat(srk.encryptXor(KEY), zeros(), template);
        return measure(
                () -> tpm.execute(Ordinal.CREATE_WRAP_KEY, u32(Structures.SRK), parameters, Auth.once(srk, SRK)));
    }

    private int loadKey() throws IOException {
        Session srk = tpm.oiap();
        byte[] loaded =
                measure(() -> tpm.execute(Ordinal.LOAD_KEY2, u32(Structures.SRK), wrappedKey, Auth.once(srk, SRK)));
        return ByteBuffer.wrap(loaded).getInt();
    }

    private void loadAndFlush() throws IOException {
        tpm.execute(Ordinal.FLUSH_SPECIFIC, concat(u32(loadKey()), u32(Structures.RT_KEY)))
                .orFail();
    }

    private byte[] seal() throws IOException {
        Session srk = tpm.osap(Structures.ET_SRK, Structures.SRK, SRK);
        byte[] parameters = concat(srk.encryptXor(DATA), u32(0), sized(DATA));
        return measure(() -> tpm.execute(Ordinal.SEAL, u32(Structures.SRK), parameters, Auth.once(srk, SRK)));
    }

    private void unseal() throws IOException {
        Auth srk = Auth.once(tpm.oiap(), SRK);
        Auth data = Auth.once(tpm.oiap(), DATA);
        measure(() -> tpm.execute(Ordinal.UNSEAL, u32(Structures.SRK), sealed, srk, data));
    }

    private void sign() throws IOException {
        Auth auth = Auth.once(tpm.oiap(), KEY);
        measure(() -> tpm.execute(Ordinal.SIGN, u32(key), sized(DATA), auth));
    }

    private void quote() throws IOException {
        Auth auth = Auth.once(tpm.oiap(), KEY);
        byte[] parameters = concat(tpm.nonce(), Structures.pcrSelection(3, PCR));
        measure(() -> tpm.execute(Ordinal.QUOTE, u32(key), parameters, auth));
    }

    @Override
    public void close() {
        tpm.close();
    }
}
