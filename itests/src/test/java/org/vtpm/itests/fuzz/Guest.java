package org.vtpm.itests.fuzz;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.u32;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.vtpm.engine.tpm12.command.CommandTable;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** A guest that authorises its commands rightly; all secrets of its TPM are {@link FuzzGuest#SECRET}. */
final class Guest {
    private static final int RESPONSE_AUTH = 41;

    private final Tpm12Client client;

    Guest(FuzzTpm tpm) {
        this.client = new Tpm12Client(tpm, new Random(1));
    }

    Tpm12Client client() {
        return client;
    }

    Response plain(String command, byte[]... parameters) throws IOException {
        return send(command, new byte[0], concat(parameters));
    }

    /** Authorised by a session of its own. */
    Response authorized(String command, byte[] handles, byte[] parameters) throws IOException {
        return send(command, handles, parameters, client.oiap());
    }

    /** Authorised by two sessions. */
    Response authorizedTwice(String command, byte[] handles, byte[] parameters) throws IOException {
        return send(command, handles, parameters, client.oiap(), client.oiap());
    }

    /**
     * Authorised by an OSAP session.
     *
     * @param parameters from what the secret is when it is encrypted for the first time in that session
     */
    Response entity(String command, byte[] handles, int type, int entity, UnaryOperator<byte[]> parameters)
            throws IOException {
        Session session = client.osap(type, entity, FuzzGuest.SECRET);
        return send(command, handles, parameters.apply(session.encryptXor(FuzzGuest.SECRET)), session);
    }

    /** Loads a key below the storage root key. */
    Response load(byte[] key) throws IOException {
        return authorized("LoadKey2", u32(Structures.SRK), key);
    }

    private Response send(String command, byte[] handles, byte[] parameters, Session... sessions) throws IOException {
        int ordinal = CommandTable.byName(command).ordinal();
        byte[] digest = sha1(u32(ordinal), parameters);
        byte[] body = concat(handles, parameters);
        for (Session session : sessions) {
            body = concat(body, session.authorize(FuzzGuest.SECRET, digest, client.nonce(), false));
        }
        Response response =
                client.transmit(Tpm12Client.frame(Tpm12Client.TAG_RQU_COMMAND + sessions.length, ordinal, body));
        int blocks = response.ok() ? sessions.length * RESPONSE_AUTH : 0;
        byte[] plain = Arrays.copyOf(response.body(), response.body().length - blocks);
        return new Response(response.request(), response.raw(), plain, true);
    }
}
