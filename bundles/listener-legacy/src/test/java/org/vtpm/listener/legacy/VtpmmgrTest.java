package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.manager.StubdomCommands.Caller;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.storage.KeyVault;
import org.vtpm.api.storage.StateException;

/** The bytes are those that Xen's vtpm-stubdom sends and expects. */
class VtpmmgrTest {
    private static final UUID VTPM = UUID.fromString("0f1e2d3c-0000-4000-8000-aabbccddeeff");
    private static final String LOAD = "01C10000000A00000002";

    /** A vault in memory that can fail. */
    private static final class FakeVault implements KeyVault {
        private final Map<UUID, byte[]> keys = new HashMap<>();
        private boolean broken;

        @Override
        public Set<UUID> owners() {
            return keys.keySet();
        }

        @Override
        public Optional<byte[]> load(UUID owner) throws StateException {
            check();
            return Optional.ofNullable(keys.get(owner)).map(byte[]::clone);
        }

        @Override
        public void store(UUID owner, byte[] key) throws StateException {
            check();
            keys.put(owner, key.clone());
        }

        @Override
        public void delete(UUID owner) {
            keys.remove(owner);
        }

        private void check() throws StateException {
            if (broken) {
                throw new StateException("the disk is full");
            }
        }
    }

    private final FakeVault vault = new FakeVault();
    private final Vtpmmgr alone = new Vtpmmgr(vault, null);

    private static String answer(Vtpmmgr manager, UUID vtpm, String hex) {
        return HexFormat.of()
                .withUpperCase()
                .formatHex(manager.execute(
                        new Caller(vtpm, "system_u:system_r:vtpm_t"),
                        HexFormat.of().parseHex(hex)));
    }

    private String answer(String hex) {
        return answer(alone, VTPM, hex);
    }

    private static String save(String key) {
        return String.format("01C1%08X00000001%s", 10 + key.length() / 2, key);
    }

    @ParameterizedTest
    @CsvSource({"52, 52", "53, 64", "63, 64", "64, 64"})
    void aKeyComesBackAsItWasSaved(int saved, int loaded) {
        String key = "A7".repeat(saved);
        assertThat(answer(save(key))).isEqualTo("01C40000000A00000000");
        assertThat(answer(LOAD))
                .isEqualTo(String.format("01C4%08X00000000", 10 + loaded) + key + "00".repeat(loaded - saved));
    }

    @Test
    void aLongKeyThatEndsInZerosIsAShortOne() {
        answer(save("A7".repeat(52) + "00".repeat(12)));
        assertThat(answer(LOAD)).isEqualTo("01C40000003E00000000" + "A7".repeat(52));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 51, 65, 1000})
    void aKeyOfAnotherLengthIsRefused(int length) {
        assertThat(answer(save("A7".repeat(length)))).isEqualTo("01C40000000A00000003");
        assertThat(vault.keys).isEmpty();
    }

    @Test
    void eachVtpmHasItsOwnKey() {
        UUID other = UUID.randomUUID();
        answer(save("A7".repeat(52)));
        assertThat(answer(alone, other, LOAD)).isEqualTo("01C40000000A00000003");
        answer(alone, other, save("B8".repeat(52)));
        assertThat(answer(LOAD)).endsWith("A7".repeat(52));
        assertThat(answer(alone, other, LOAD)).endsWith("B8".repeat(52));
    }

    @Test
    void aKeyThatCouldNotBeLoadedIsNotOverwritten() {
        answer(save("A7".repeat(52)));
        vault.broken = true;
        assertThat(answer(save("B8".repeat(52)))).isEqualTo("01C40000000A0000001F");
        assertThat(answer(LOAD)).isEqualTo("01C40000000A0000001F");
        vault.broken = false;
        assertThat(answer(save("B8".repeat(52)))).isEqualTo("01C40000000A0000001F");
        assertThat(answer(alone, UUID.randomUUID(), save("B8".repeat(52)))).isEqualTo("01C40000000A00000000");
        assertThat(answer(LOAD)).endsWith("A7".repeat(52));
        assertThat(answer(save("B8".repeat(52)))).isEqualTo("01C40000000A00000000");
    }

    @Test
    void theBootHashIsThatOfTheDomainsLabel() {
        // printf %s system_u:system_r:vtpm_t | sha1sum
        assertThat(answer("01C10000000A00000003"))
                .isEqualTo("01C40000001E00000000" + "D0F1992DAE1DAF6B1515F8FC293FCAC4BC673605");
        assertThat(alone.execute(new Caller(VTPM, ""), HexFormat.of().parseHex("01C10000000A00000003")))
                .asHexString()
                .isEqualTo("01C40000000A00000003");
    }

    @ParameterizedTest
    @CsvSource({
        // Size and length differ.
        "01C10000000B00000002, 01C40000000A00000003",
        "01C1, 01C40000000A00000003",
        "'', 01C40000000A00000003",
        // LOADHASHKEY and GET_BOOT_HASH with parameters.
        "01C10000000B0000000200, 01C40000000A00000003",
        "01C10000000B0000000300, 01C40000000A00000003",
        // GET_QUOTE, and ordinals that there are not.
        "01C10000000A00000004, 01C40000000A00000008",
        "01C10000000A00000005, 01C40000000A0000000A",
        "01C10000000A02000101, 01C40000000A0000000A",
        // What is for administrators, and tags that there are not.
        "01C20000000A02000101, 01C50000000A00000001",
        "01C20000000A00000001, 01C50000000A00000001",
        "01C30000000A00000001, 01C60000000A0000001E",
        "80010000000A00000144, 80040000000A0000001E",
        // The host's TPM: PCRRead without one, and authorized commands.
        "00C10000000E0000001500000000, 00C40000000A00000008",
        "00C20000000A00000014, 00C50000000A00000008",
        "00C30000000A00000014, 00C60000000A00000008",
        "00C10000000A00000046, 00C40000000A00000019",
    })
    void everythingElseHasItsError(String command, String response) {
        assertThat(answer(command)).isEqualTo(response);
        assertThat(vault.keys).isEmpty();
    }

    @Test
    void withoutATpmRandomNumbersAreTheHosts() {
        String first = answer("00C10000000E0000004600000020");
        assertThat(first).startsWith("00C40000002E0000000000000020").hasSize(2 * 0x2E);
        assertThat(answer("00C10000000E0000004600000020")).isNotEqualTo(first);
        assertThat(answer("00C10000000E00000046FFFFFFFF")).startsWith("00C40000010E0000000000000100");
    }

    @Test
    void theHostsTpmIsAskedIfThereIsOne() {
        Vtpmmgr manager = new Vtpmmgr(vault, command -> command);
        assertThat(answer(manager, VTPM, "00C10000000E0000004600000020")).isEqualTo("00C10000000E0000004600000020");
        Vtpmmgr broken = new Vtpmmgr(vault, command -> {
            throw new RootOfTrustException("it is not there");
        });
        assertThat(answer(broken, VTPM, "00C10000000E0000004600000020")).isEqualTo("00C40000000A00000009");
        Vtpmmgr verbose = new Vtpmmgr(vault, command -> new byte[4089]);
        assertThat(answer(verbose, VTPM, "00C10000000E0000004600000020")).isEqualTo("00C40000000A00000009");
    }
}
