package org.vtpm.itests.root12;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.u32;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.Wire;

/** The TPM 1.2 of a host, on a TCP port of this machine, with an endorsement key. */
interface Chip extends AutoCloseable {
    /** Who made it. */
    enum Maker {
        SWTPM {
            @Override
            Chip make(Path folder) throws Exception {
                return SwtpmChip.start(folder);
            }
        },
        OURS {
            @Override
            Chip make(Path folder) throws Exception {
                return EngineChip.start();
            }
        };

        abstract Chip make(Path folder) throws Exception;

        /** A new one, as it leaves the factory. */
        Chip chip(Path folder) throws Exception {
            Chip chip = make(folder);
            chip.with(Tpm12Client::createEndorsementKey);
            return chip;
        }
    }

    /** Something to do with it. */
    interface Work<T> {
        T with(Tpm12Client client) throws IOException;
    }

    int port();

    /** The host goes off and on: PCRs start anew. */
    void restart() throws Exception;

    @Override
    void close();

    default String place() {
        return "tcp:127.0.0.1:" + port();
    }

    /** Has the tests' own client do something. */
    default <T> T with(Work<T> work) throws IOException {
        try (Tpm12Client client = new Tpm12Client(SocketTpm.tcp(port()), new SecureRandom())) {
            return work.with(client);
        }
    }

    default void extend(int pcr, String what) throws IOException {
        with(client -> client.extend(pcr, Wire.sha1(what.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .orFail());
    }

    /** What somebody at the machine can do who does not know the owner's secret. */
    default void clear() throws Exception {
        with(client -> {
            client.assertPresence();
            return client.execute(Ordinal.FORCE_CLEAR, new byte[0]).orFail();
        });
        restart();
        with(client -> {
            client.assertPresence();
            client.execute(Ordinal.PHYSICAL_ENABLE, new byte[0]).orFail();
            return client.execute(Ordinal.PHYSICAL_SET_DEACTIVATED, new byte[] {0})
                    .orFail();
        });
        restart();
    }

    /** Ends the defence against dictionary attacks that wrong secrets started. */
    default void resetLock(byte[] owner) throws IOException {
        with(client -> client.execute(Ordinal.RESET_LOCK_VALUE, new byte[0], Auth.once(client.oiap(), owner)));
    }

    /** Handles of keys and sessions of any kind. */
    default List<String> leftovers() throws IOException {
        return with(client -> {
            List<String> found = new ArrayList<>();
            for (int type : new int[] {Structures.RT_KEY, Structures.RT_AUTH, Structures.RT_TRANS}) {
                ByteBuffer list = ByteBuffer.wrap(client.getCapability(Structures.CAP_HANDLE, u32(type))
                        .orFail()
                        .body());
                list.getInt();
                for (int count = list.getShort(); count > 0; count--) {
                    found.add(type + ":" + Integer.toHexString(list.getInt()));
                }
            }
            return found;
        });
    }

    /** Ends a session that somebody's interference left. */
    static byte[] flush(int handle, int type) {
        return Tpm12Client.frame(
                Tpm12Client.TAG_RQU_COMMAND, Ordinal.FLUSH_SPECIFIC.code(), concat(u32(handle), u32(type)));
    }
}
