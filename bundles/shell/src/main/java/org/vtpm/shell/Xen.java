package org.vtpm.shell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.xen.XenBackend;
import org.vtpm.api.xen.XenDevice;
import org.vtpm.api.xen.XenReport;

/** {@code vtpm:xen}. */
@Service
@Command(
        scope = "vtpm",
        name = "xen",
        description = "Lists the TPM devices of this host's Xen guests.",
        detailedDescription =
                "States are XenBus's: 1 initialising, 2 waiting, 3 initialised, 4 connected, 5 closing, 6 closed."
                        + " Refused are requests that reached no TPM, idle events came without a request, and a guest that sent too"
                        + " many of both was muted for a moment. Of a domain that is a TPM itself only the key is here. Example: vtpm:xen --json")
public final class Xen implements Action {
    /** XenBus's own words for its states. */
    private static final List<String> STATES = List.of(
            "unknown",
            "initialising",
            "waiting",
            "initialised",
            "connected",
            "closing",
            "closed",
            "reconfiguring",
            "reconfigured");

    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Reference(optional = true)
    private @Nullable XenBackend backend;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        if (backend == null) {
            throw new CommandException(
                    "There is no listener for Xen's guests; feature:install vtpm-listener-xen, or see bundle:diag why it waits");
        }
        XenReport report = backend.report();
        if (json) {
            System.out.println(Json.write(members(report)));
            return null;
        }
        if (report.problem() != null) {
            System.out.println("Xen guests are not served: " + report.problem());
        }
        table(report.devices()).print(System.out);
        for (XenDevice device : report.devices()) {
            if (device.problem() != null) {
                System.out.println(address(device) + " does not work: " + device.problem());
            }
        }
        return null;
    }

    private ShellTable table(List<XenDevice> devices) {
        ShellTable table = Tables.withColumns(
                        "Device",
                        "Guest",
                        "Instance",
                        "Phase",
                        "Backend",
                        "Frontend",
                        "Ring",
                        "Channel",
                        "Commands",
                        "Refused",
                        "Idle events",
                        "Muted")
                .emptyTableText("No devices. A guest gets one with vtpm=[\"backend=0,uuid=...\"] in its configuration");
        for (XenDevice device : devices) {
            table.addRow()
                    .addContent(
                            address(device),
                            device.guest(),
                            device.stubdom() ? "key of " + device.tpm() : instance(device.tpm()),
                            device.busy() ? device.phase() + ", busy" : device.phase(),
                            state(device.backend()),
                            state(device.frontend()),
                            number(device.ringRef()),
                            number(device.eventChannel()),
                            device.counters().commands(),
                            device.counters().refused(),
                            device.counters().idleEvents(),
                            device.counters().muted());
        }
        return table;
    }

    private String instance(@Nullable UUID tpm) {
        if (tpm == null) {
            return "-";
        }
        return manager == null
                ? tpm.toString()
                : manager.find(tpm).map(known -> known.record().name()).orElse(tpm.toString());
    }

    private static String address(XenDevice device) {
        return "xen:" + device.domain() + "/" + device.device();
    }

    private static String state(int state) {
        return state + " " + STATES.get(state);
    }

    private static String number(OptionalLong number) {
        return number.isPresent() ? String.valueOf(number.getAsLong()) : "-";
    }

    private static Map<String, @Nullable Object> members(XenReport report) {
        List<Object> devices = new ArrayList<>();
        for (XenDevice device : report.devices()) {
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            members.put("domain", device.domain());
            members.put("device", device.device());
            members.put("guest", device.guest());
            members.put("uuid", device.tpm() == null ? null : Objects.toString(device.tpm()));
            members.put("stubdom", device.stubdom());
            members.put("phase", device.phase());
            members.put("backendState", device.backend());
            members.put("frontendState", device.frontend());
            members.put("ringRef", orNull(device.ringRef()));
            members.put("eventChannel", orNull(device.eventChannel()));
            members.put("busy", device.busy());
            members.put("commands", device.counters().commands());
            members.put("refused", device.counters().refused());
            members.put("idleEvents", device.counters().idleEvents());
            members.put("muted", device.counters().muted());
            members.put("problem", device.problem());
            devices.add(members);
        }
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("problem", report.problem());
        members.put("devices", devices);
        return members;
    }

    private static @Nullable Long orNull(OptionalLong number) {
        return number.isPresent() ? (Long) number.getAsLong() : null;
    }
}
