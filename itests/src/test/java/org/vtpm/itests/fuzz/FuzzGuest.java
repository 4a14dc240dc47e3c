package org.vtpm.itests.fuzz;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.engine.tpm12.command.Command;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.Wire;

/** A guest of an owned TPM who knows all its secrets, and whose every decision is read from the fuzzer's input. */
final class FuzzGuest {
    /** The owner's, the storage root key's and every other secret. */
    static final byte[] SECRET = Wire.zeros();

    private static final List<Command> COMMANDS = CommandTable.all();
    private static final int MOST_STEPS = 40;
    private static final int LONGEST = 4096;
    private static final int[] HANDLES = {
        Structures.SRK, Structures.OWNER, Structures.ENDORSEMENT_KEY, 0x40000002, 0x40000003, 0x40000004, 0x40000005
    };

    private final Tpm12EngineFactory factory;
    private final Map<StateKind, byte[]> owned;

    /** Makes the TPM that every input starts from; costs one ownership. */
    FuzzGuest() {
        PrimeStock primes = new PrimeStock();
        factory = new Tpm12EngineFactory(() -> primes);
        FuzzTpm tpm = new FuzzTpm(factory, Map.of(StateKind.PERMANENT, factory.manufacture(true)));
        try (Tpm12Client client = new Tpm12Client(tpm, new Random(1))) {
            client.startup(Structures.ST_CLEAR).orFail();
            client.takeOwnership(SECRET, SECRET).orFail();
            client.nvDefine(0x1101, 16, Structures.NV_PER_AUTHREAD | Structures.NV_PER_AUTHWRITE)
                    .orFail();
            client.nvDefine(0x1102, 16, Structures.NV_PER_OWNERREAD | Structures.NV_PER_OWNERWRITE)
                    .orFail();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        owned = tpm.stored();
    }

    /** A started TPM of this guest's. */
    FuzzTpm tpm() {
        FuzzTpm tpm = new FuzzTpm(factory, owned);
        tpm.transmit(factory.startupCommand(StartupMode.CLEAR));
        return tpm;
    }

    Tpm12EngineFactory factory() {
        return factory;
    }

    /** Sends commands until the input is used up. */
    void work(FuzzTpm tpm, FuzzedDataProvider input) throws IOException {
        Tpm12Client client = new Tpm12Client(tpm, new Random(1));
        List<Integer> handles = new ArrayList<>();
        for (int step = 0; step < MOST_STEPS && input.remainingBytes() > 0; step++) {
            tpm.at(input.consumeInt(0, 4));
            Response response;
            switch (input.consumeInt(0, 7)) {
                case 0 -> response = client.transmit(input.consumeBytes(LONGEST));
                case 1 -> {
                    tpm.powerCycle();
                    response = client.startup(input.consumeInt(0, 4));
                }
                default -> response = command(client, input, handles);
            }
            if (response.ok() && response.body().length >= Integer.BYTES) {
                handles.add(response.u32(0));
            }
        }
    }

    /** A command with a right header, handles that mean something, and as many right authorizations as it may have. */
    private static Response command(Tpm12Client client, FuzzedDataProvider input, List<Integer> handles)
            throws IOException {
        Command command = COMMANDS.get(input.consumeInt(0, COMMANDS.size() - 1));
        byte[] area = {};
        for (int i = 0; i < command.inHandleBytes() / Integer.BYTES; i++) {
            area = concat(area, u32(handle(input, handles)));
        }
        int auths = input.consumeInt(0, 2);
        byte[] blocks = {};
        byte[] parameters = input.consumeBytes(input.consumeInt(0, LONGEST));
        byte[] digest = sha1(u32(command.ordinal()), parameters);
        for (int i = 0; i < auths; i++) {
            blocks = concat(blocks, authorization(client, input, digest));
        }
        return client.transmit(Tpm12Client.frame(
                Tpm12Client.TAG_RQU_COMMAND + auths, command.ordinal(), concat(area, parameters, blocks)));
    }

    private static byte[] authorization(Tpm12Client client, FuzzedDataProvider input, byte[] digest)
            throws IOException {
        Session session = session(client, input.consumeInt(0, 2));
        return session.authorize(SECRET, digest, client.nonce(), input.consumeBoolean());
    }

    /** A session of some kind; one that the TPM does not know where it opens none. */
    private static Session session(Tpm12Client client, int kind) throws IOException {
        if (kind == 0) {
            Response opened = client.execute(Ordinal.OIAP, new byte[0]);
            return opened.ok() ? Tpm12Client.oiapSession(opened) : Session.unknown(0);
        }
        byte[] nonceOdd = client.nonce();
        int entityType = kind == 1 ? Structures.ET_OWNER : Structures.ET_SRK;
        int entity = kind == 1 ? Structures.OWNER : Structures.SRK;
        Response opened = client.execute(Ordinal.OSAP, Tpm12Client.osapParameters(entityType, entity, nonceOdd));
        return opened.ok() ? Tpm12Client.osapSession(opened, entityType, nonceOdd, SECRET) : Session.unknown(0);
    }

    private static int handle(FuzzedDataProvider input, List<Integer> handles) {
        int choice = input.consumeInt(0, HANDLES.length + handles.size());
        if (choice < HANDLES.length) {
            return HANDLES[choice];
        }
        return choice < HANDLES.length + handles.size() ? handles.get(choice - HANDLES.length) : input.consumeInt();
    }
}
