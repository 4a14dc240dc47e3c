package org.vtpm.itests.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** Holds our own TPM 1.2 client against a TPM that is not ours, so that the other tests may trust it. */
class Tpm12ClientIT {
    private static final int NV_INDEX = 0x1100;
    private static final int AUTHFAIL = 1;

    @TempDir
    private Path folder;

    @Test
    void speaksToTheReference() throws Exception {
        byte[] owner = sha1("owner".getBytes(StandardCharsets.UTF_8));
        try (Swtpm swtpm = Swtpm.start(folder);
                Tpm12Client tpm = new Tpm12Client(swtpm.connect(), new Random(1))) {
            tpm.startup(Structures.ST_CLEAR).orFail();
            assertThat(tpm.extend(8, zeros()).orFail().body()).isEqualTo(sha1(zeros(), zeros()));
            assertThat(tpm.implemented(Ordinal.EXTEND.code())).isTrue();

            tpm.createEndorsementKey().orFail();
            tpm.takeOwnership(owner, zeros()).orFail();
            assertThat(tpm.execute(Ordinal.RESET_LOCK_VALUE, new byte[0], Auth.wrong(tpm.oiap(), owner))
                            .code())
                    .isEqualTo(AUTHFAIL);

            Session session = tpm.oiap();
            tpm.execute(Ordinal.RESET_LOCK_VALUE, new byte[0], Auth.continued(session, owner))
                    .orFail();
            tpm.execute(Ordinal.RESET_LOCK_VALUE, new byte[0], Auth.once(session, owner))
                    .orFail();

            for (int scheme : new int[] {0, Structures.ADIP_AES_CTR}) {
                byte[] secret = tpm.nonce();
                Session osap = tpm.osap(scheme | Structures.ET_OWNER, Structures.OWNER, owner);
                byte[] hidden = scheme == 0 ? osap.encryptXor(secret) : osap.encryptAes(secret);
                byte[] area =
                        Structures.nvPublic(NV_INDEX, 16, Structures.NV_PER_AUTHREAD | Structures.NV_PER_AUTHWRITE);
                tpm.execute(Ordinal.NV_DEFINE_SPACE, concat(area, hidden), Auth.once(osap, owner))
                        .orFail();
                byte[] write = concat(u32(NV_INDEX), u32(0), sized(new byte[16]));
                tpm.execute(Ordinal.NV_WRITE_VALUE_AUTH, write, Auth.once(tpm.oiap(), secret))
                        .orFail();
            }

            tpm.assertPresence();
            tpm.execute(Ordinal.FORCE_CLEAR, new byte[0]).orFail();
            tpm.execute(Ordinal.PHYSICAL_ENABLE, new byte[0]).orFail();
            assertThat(tpm.execute(Ordinal.STARTUP, u16(1)).code()).isEqualTo(0x26);
        }
    }
}
