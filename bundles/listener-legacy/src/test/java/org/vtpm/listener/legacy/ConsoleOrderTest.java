package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vtpm.api.engine.StartupMode;

/** The bytes are those that Xen's hotplug scripts write. */
class ConsoleOrderTest {
    private static ConsoleOrder parse(String hex) throws Exception {
        return ConsoleOrder.parse(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    @ParameterizedTest
    @CsvSource({
        "00000000 01C1 00000011 01000001 01 01 01 00000005, 5, CLEAR, PV",
        "00000000 01C1 00000011 01000001 01 02 01 00000005, 5, STATE, PV",
        "00000000 01C1 00000011 01000001 00 03 02 FFFFFFFE, 4294967294, DEACTIVATED, HVM",
        "00000000 01C1 00000010 01000001 01 01 000000FF, 255, CLEAR, PV",
    })
    void openIsUnderstoodInBothItsForms(String hex, long instance, StartupMode startup, ConsoleOrder.VmType vmType)
            throws Exception {
        assertThat(parse(hex)).isEqualTo(new ConsoleOrder.Open(instance, startup, vmType));
    }

    @Test
    void closeAndDeleteAreUnderstood() throws Exception {
        assertThat(parse("00000000 01C1 0000000E 01000002 00000005")).isEqualTo(new ConsoleOrder.Close(5));
        assertThat(parse("00000000 01C1 0000000E 01000003 00000005")).isEqualTo(new ConsoleOrder.Delete(5));
    }

    @ParameterizedTest
    @CsvSource({
        "00000000 01C1 0000000A 00000004, GET_MIG_KEY",
        "00000000 01C1 00000018 00000005 00000002 6800 00000000 00000000, LOAD_MIG_KEY",
        "00000000 01C1 00000014 01000004 00000005 00000002 CAFE, MIGRATE_IN",
        "00000000 01C1 00000014 01000005 00000005 00000002 6800, MIGRATE_OUT",
    })
    void ordersOfAMigrationAreKnown(String hex, ConsoleOrder.Migration order) throws Exception {
        assertThat(parse(hex)).isEqualTo(order);
    }

    @ParameterizedTest
    @CsvSource({
        "00000000 01C1 0000000F 01000001 01 01 000005, BAD_PARAMETER, wrong length",
        "00000000 01C1 00000012 01000001 01 01 01 00000005 00, BAD_PARAMETER, wrong length",
        "00000000 01C1 0000000A 01000002, BAD_PARAMETER, wrong length",
        "00000000 01C1 0000000F 01000003 00000005 00, BAD_PARAMETER, wrong length",
        "00000000 01C1 00000011 01000001 02 01 01 00000005, BAD_PARAMETER, migration type 2",
        "00000000 01C1 00000011 01000001 FF 01 01 00000005, BAD_PARAMETER, migration type 255",
        "00000000 01C1 00000011 01000001 01 00 01 00000005, BAD_PARAMETER, startup mode 0",
        "00000000 01C1 00000011 01000001 01 04 01 00000005, BAD_PARAMETER, startup mode 4",
        "00000000 01C1 00000011 01000001 01 01 00 00000005, BAD_PARAMETER, VM type 0",
        "00000000 01C1 00000011 01000001 01 01 01 00000000, BAD_PARAMETER, number 0",
        "00000000 01C1 0000000E 01000003 FFFFFFFF, BAD_PARAMETER, number 4294967295",
        "00000005 01C1 0000000E 01000002 00000005, BAD_PARAMETER, not the host",
        "00000000 01C1 0000000E 01000006 00000005, BAD_ORDINAL, 0x01000006",
        "00000000 01C1 0000000A 00000001, BAD_ORDINAL, 0x00000001",
        "00000000 01C1 0000000E 00000002 00000005, BAD_ORDINAL, 0x00000002",
        "00000000 00C1 0000000E 00000046 00000005, FAIL, 0x00C1",
        "00000000 01C2 0000000E 01000002 00000005, FAIL, 0x01C2",
    })
    void whateverElseIsRefused(String hex, TpmError error, String why) {
        assertThatThrownBy(() -> parse(hex))
                .isInstanceOfSatisfying(
                        ConsoleOrder.BadOrderException.class,
                        e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(why);
    }

    @Test
    void theLastFourBytesOfAReplyAreItsStatusAndItsTagIsTheRequests() {
        assertThat(ConsoleOrder.reply(0, TpmError.SUCCESS)).asHexString().isEqualTo("0000000001C10000000A00000000");
        assertThat(ConsoleOrder.reply(0, TpmError.BAD_PARAMETER))
                .asHexString()
                .isEqualTo("0000000001C10000000A00000003");
    }
}
