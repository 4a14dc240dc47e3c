package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * Guests with a loaded key, open sessions and extended PCRs are suspended and resumed, with an engine in the manager's JVM and
 * with one in a process of its own, over every transport there is, also by a manager that was killed meanwhile.
 */
class SuspendIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int PCR = 10;
    private static final int KEY_SIGNING = 0x10;
    private static final byte[] OWNER = sha1(new byte[] {1});
    private static final byte[] SRK = sha1(new byte[] {2});
    private static final byte[] USAGE = sha1(new byte[] {3});
    private static final byte[] DIGEST = sha1(new byte[] {4});

    @TempDir
    private Path folder;

    @Test
    void guestsGoOnWithTheirKeysAndSessions() throws Exception {
        try (KarafServer karaf = KarafServer.install(folder.resolve("karaf"))) {
            Guest shared = new Guest(karaf, "shared", "shared");
            Guest apart = new Guest(karaf, "apart", "process");
            List<Guest> guests = List.of(shared, apart);

            shell(karaf, "vtpm:suspend shared apart");
            suspended(karaf);
            shell(karaf, "vtpm:resume shared apart");
            goOn(guests);

            shell(karaf, "vtpm:transport shared fifo", "vtpm:suspend shared apart");
            karaf.restart();
            suspended(karaf);
            Wait.until(
                    "the engines are there",
                    PATIENCE,
                    () -> karaf.shell("vtpm:resume shared apart").exit() == 0);
            goOn(guests);

            shell(karaf, "vtpm:suspend shared apart");
            assertThat(karaf.shell("vtpm:start shared").exit()).isNotZero();
            shell(karaf, "vtpm:resume shared", "vtpm:start apart --discard");
            shared.goesOn();
            apart.lostItsPower();
            assertThat(karaf.shell("vtpm:resume apart shared").exit())
                    .as("what runs is resumed already")
                    .isZero();
        }
    }

    private static void goOn(List<Guest> guests) throws Exception {
        for (Guest guest : guests) {
            guest.goesOn();
        }
    }

    private static void suspended(KarafServer karaf) throws Exception {
        assertThat(shell(karaf, "vtpm:list"))
                .containsPattern("shared\\W+SUSPENDED")
                .containsPattern("apart\\W+SUSPENDED");
        assertThat(shell(karaf, "vtpm:show apart --json")).contains("\"state\": \"SUSPENDED\"");
    }

    private static String shell(KarafServer karaf, String... lines) throws Exception {
        Programs.Result result = karaf.shell(lines);
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    /** A guest that has a signing key loaded, and sessions that it keeps. */
    private static final class Guest {
        private final KarafServer karaf;
        private final int port = KarafServer.freePort();
        private final Session forOwner;
        private final Session forKey;
        private final int key;
        private byte[] pcr;

        Guest(KarafServer karaf, String name, String isolation) throws Exception {
            this.karaf = karaf;
            shell(karaf, "vtpm:create " + name + " --isolation " + isolation + " --endpoint tcp:127.0.0.1:" + port);
            try (Tpm12Client tpm = connect()) {
                tpm.takeOwnership(OWNER, SRK).orFail();
                pcr = tpm.extend(PCR, DIGEST).orFail().body();
                forOwner = tpm.oiap();
                forKey = tpm.oiap();
                key = loadKey(tpm);
                useSessionsAndKey(tpm);
                tpm.execute(Ordinal.SHA1_START, new byte[0]).orFail();
            }
        }

        private Tpm12Client connect() throws InterruptedException {
            return new Tpm12Client(karaf.connect(port), new SecureRandom());
        }

        private int loadKey(Tpm12Client tpm) throws IOException {
            Session making = tpm.osap(Structures.ET_SRK, Structures.SRK, SRK);
            byte[] template = concat(
                    new byte[] {1, 1, 0, 0},
                    u16(KEY_SIGNING),
                    u32(0),
                    u8(1),
                    Structures.rsaParms(1, 2, 2048),
                    sized(new byte[0]),
                    sized(new byte[0]),
                    sized(new byte[0]));
            byte[] wrapped = tpm.execute(
                            Ordinal.CREATE_WRAP_KEY,
                            u32(Structures.SRK),
                            concat(making.encryptXor(USAGE), zeros(), template),
                            Auth.once(making, SRK))
                    .orFail()
                    .body();
            Response loaded = tpm.execute(Ordinal.LOAD_KEY2, u32(Structures.SRK), wrapped, Auth.once(tpm.oiap(), SRK));
            assertThat(loaded.code()).isZero(); // what authorizes the answer does not cover the handle
            return loaded.u32(0);
        }

        private void useSessionsAndKey(Tpm12Client tpm) throws IOException {
            Response signed = tpm.execute(Ordinal.SIGN, u32(key), sized(DIGEST), Auth.continued(forKey, USAGE));
            assertThat(signed.orFail().body()).hasSize(4 + 256);
            tpm.execute(Ordinal.OWNER_READ_INTERNAL_PUB, u32(Structures.SRK), Auth.continued(forOwner, OWNER))
                    .orFail();
        }

        void goesOn() throws Exception {
            try (Tpm12Client tpm = connect()) {
                byte[] hashed = tpm.execute(Ordinal.SHA1_COMPLETE, sized(new byte[] {7}))
                        .orFail()
                        .body();
                assertThat(hashed).isEqualTo(sha1(new byte[] {7}));
                assertThat(tpm.pcrRead(PCR).orFail().body()).isEqualTo(pcr);
                useSessionsAndKey(tpm);
                pcr = tpm.extend(PCR, DIGEST).orFail().body();
                tpm.execute(Ordinal.SHA1_START, new byte[0]).orFail();
            }
        }

        void lostItsPower() throws Exception {
            try (Tpm12Client tpm = connect()) {
                assertThat(tpm.pcrRead(PCR).orFail().body()).isEqualTo(zeros());
                assertThat(tpm.execute(Ordinal.SIGN, u32(key), sized(DIGEST), Auth.once(tpm.oiap(), USAGE))
                                .code())
                        .isNotZero();
            }
        }
    }
}
