package org.vtpm.itests.root20;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.TpmPlace;
import org.vtpm.root.tpm20.Tpm20Root;

/** What others may have the host's TPM 2.0 do, in the format of TPM 1.2. */
class PassthroughIT {
    @TempDir
    private Path folder;

    @Test
    void randomNumbersComeFromTheTpm() throws Exception {
        try (Tpm2 tpm = Tpm2.start(folder.resolve("tpm"))) {
            HostTpmCommands commands = new Tpm20Root(
                    "tpm20", new HostTpm(TpmPlace.parse(tpm.place()), Duration.ofMinutes(1)), Roots.FIRST_COUNTER);
            String first = answer(commands, "00c10000000e0000004600000100");
            assertThat(first).startsWith("00c40000010e0000000000000100").hasSize(2 * 0x10E);
            assertThat(answer(commands, "00c10000000e0000004600000100")).isNotEqualTo(first);
            assertThat(answer(commands, "00c10000000e0000001500000000")).isEqualTo("00c40000000a00000008");
            assertThat(tpm.leftovers()).isEmpty();
        }
    }

    private static String answer(HostTpmCommands commands, String hex) throws Exception {
        return HexFormat.of().formatHex(commands.execute(HexFormat.of().parseHex(hex)));
    }
}
