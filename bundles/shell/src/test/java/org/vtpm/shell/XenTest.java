package org.vtpm.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.apache.karaf.shell.support.CommandException;
import org.junit.jupiter.api.Test;
import org.vtpm.api.xen.XenBackend;
import org.vtpm.api.xen.XenDevice;
import org.vtpm.api.xen.XenReport;

class XenTest {
    private static final UUID TPM = UUID.fromString("ac0a5b9e-cbe2-4c07-b43b-1d69e46fb839");

    private static final XenDevice CONNECTED = new XenDevice(
            5,
            0,
            "g1",
            TPM,
            false,
            "connected",
            4,
            4,
            OptionalLong.of(9),
            OptionalLong.of(17),
            true,
            new XenDevice.Counters(1234, 5, 6, 7),
            null);

    private static final XenDevice REFUSED = new XenDevice(
            6,
            1,
            "g2",
            TPM,
            false,
            "refused",
            6,
            1,
            OptionalLong.empty(),
            OptionalLong.empty(),
            false,
            XenDevice.Counters.NONE,
            "its vTPM is in use by xen:5/0");

    private static final XenDevice STUBDOM = new XenDevice(
            7,
            0,
            "g1-tpm",
            TPM,
            true,
            "connected",
            4,
            4,
            OptionalLong.of(8),
            OptionalLong.of(8),
            false,
            XenDevice.Counters.NONE,
            null);

    private static String run(String line, Object... services) throws Exception {
        try (KarafShell shell = new KarafShell(services)) {
            shell.register(Xen.class);
            return shell.run(line);
        }
    }

    private static XenBackend reporting(String problem, XenDevice... devices) {
        return new XenBackend() {
            @Override
            public XenReport report() {
                return new XenReport(problem, List.of(devices));
            }
        };
    }

    @Test
    void devicesAreListedWithWhatKeepsThemFromWorking() throws Exception {
        String printed = run("vtpm:xen", reporting(null, CONNECTED, REFUSED));
        assertThat(printed)
                .containsPattern(
                        "xen:5/0 .*g1 .*" + TPM + " .*connected, busy .*4 connected .*9 .*17 .*1234 .*5 .*6 .*7")
                .containsPattern("xen:6/1 .*g2 .*refused .*6 closed .*1 initialising")
                .contains("xen:6/1 does not work: its vTPM is in use by xen:5/0")
                .doesNotContain("not served");
    }

    @Test
    void aDomainThatIsATpmItselfIsSeenAsOne() throws Exception {
        assertThat(run("vtpm:xen", reporting(null, STUBDOM)))
                .containsPattern("xen:7/0 .*g1-tpm .*key of " + TPM + " .*connected");
        assertThat(run("vtpm:xen --json", reporting(null, STUBDOM, REFUSED)))
                .contains("\"stubdom\": true", "\"stubdom\": false");
    }

    @Test
    void withoutXenTheReasonIsTold() throws Exception {
        assertThat(run("vtpm:xen", reporting("there is no /dev/xen/evtchn")))
                .contains("Xen guests are not served: there is no /dev/xen/evtchn")
                .contains("No devices");
    }

    @Test
    void scriptsGetJson() throws Exception {
        assertThat(run("vtpm:xen --json", reporting(null, CONNECTED, REFUSED)))
                .contains("\"problem\": null", "\"ringRef\": 9", "\"commands\": 1234", "\"backendState\": 4")
                .contains("\"ringRef\": null", "\"problem\": \"its vTPM is in use by xen:5/0\"");
    }

    @Test
    void withoutTheListenerTheCommandSaysHowToGetIt() {
        assertThatThrownBy(() -> run("vtpm:xen"))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("vtpm-listener-xen");
    }
}
