package org.vtpm.itests.root12;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.TpmPlace;
import org.vtpm.root.tpm12.Tpm12Root;

/** What others may have the host's TPM 1.2 do. */
class PassthroughIT {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(Chip.Maker.class)
    void onlyWhatIsOnTheListReachesTheTpm(Chip.Maker maker) throws Exception {
        try (Chip chip = maker.chip(folder)) {
            HostTpmCommands commands = new Tpm12Root(
                    "tpm12",
                    new HostTpm(TpmPlace.parse(chip.place()), Duration.ofMinutes(1)),
                    "",
                    "GetRandom, PCRRead, GetCapability");
            assertThat(answer(commands, "00c10000000e0000004600000010")).startsWith("00c40000001e0000000000000010");
            assertThat(answer(commands, "00c10000000e0000001500000000"))
                    .isEqualTo("00c40000001e00000000" + "00".repeat(20));
            assertThat(answer(commands, "00c1000000120000006500000006" + "00000000"))
                    .startsWith("00c4");
            // TPM_ReadPubek is not on this list, TPM_Extend on none.
            assertThat(answer(commands, "00c10000001e0000007c" + "00".repeat(20)))
                    .isEqualTo("00c40000000a00000008");
            assertThat(answer(commands, "00c1000000220000001400000000" + "11".repeat(20)))
                    .isEqualTo("00c40000000a00000008");
            assertThat(answer(commands, "00c10000000e0000001500000000"))
                    .isEqualTo("00c40000001e00000000" + "00".repeat(20));
        }
    }

    private static String answer(HostTpmCommands commands, String hex) throws Exception {
        return HexFormat.of().formatHex(commands.execute(HexFormat.of().parseHex(hex)));
    }
}
