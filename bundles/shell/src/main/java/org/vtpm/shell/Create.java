package org.vtpm.shell;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:create}. */
@Service
@Command(
        scope = "vtpm",
        name = "create",
        description = "Creates an instance; with an endpoint it is started and served at once.",
        detailedDescription = "Example: vtpm:create demo --endpoint tcp:127.0.0.1:6545")
public final class Create implements Action {
    private static final String NO_CERTIFICATE =
            "note     Its endorsement key has no certificate and never gets one, since no certification authority issues"
                    + " any; vtpm:ca tells why. If it has to have one, delete it and create it again.";

    @Option(name = "--family", description = "TPM specification family: 1.2")
    @Completion(
            value = StringsCompleter.class,
            values = {"1.2"})
    private String family = TpmFamily.TPM_1_2.label();

    @Option(name = "--uuid", description = Words.IDENTITY)
    private @Nullable String uuid;

    @Option(name = "--isolation", description = Words.ISOLATION)
    @Completion(
            value = StringsCompleter.class,
            values = {"shared", "process"})
    private @Nullable String isolation;

    @Option(name = "--startup", description = Words.STARTUP)
    @Completion(
            value = StringsCompleter.class,
            values = {"none", "clear", "state", "deactivated"})
    private String startup = Words.label(StartupMode.CLEAR);

    @Option(name = "--no-ek", description = "Leave the endorsement key to TPM_CreateEndorsementKeyPair")
    private boolean withoutEndorsementKey;

    @Option(name = "--no-ek-cert", description = "No certificate for the endorsement key, although the host has a CA")
    private boolean withoutCertificate;

    @Option(name = "--endpoint", description = Words.ENDPOINT, valueToShowInHelp = "", multiValued = true)
    private List<String> endpoints = List.of();

    @Argument(name = "name", description = Words.NEW_NAME, required = true)
    private String name;

    @Argument(name = "options", description = Words.TRAILING_OPTIONS, index = 1, multiValued = true)
    private @Nullable List<String> words;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        Words.none(Words.takeOptions(this, words));
        NewInstance order = new NewInstance(
                name,
                uuid == null ? null : Words.uuid(uuid),
                parseFamily(family),
                isolation == null ? null : Words.constant(Isolation.class, "--isolation", isolation),
                Words.constant(StartupMode.class, "--startup", startup),
                !withoutEndorsementKey,
                !withoutCertificate,
                Words.endpoints(endpoints));
        VtpmManager host = Instances.managedBy(manager);
        InstanceInfo created = Instances.ask(() -> host.create(order));
        Instances.printNew(created);
        if (order.endorsementKey() && order.endorsementCertificate()) {
            Instances.ask(() -> host.endorsement(created.record().uuid()))
                    .filter(endorsement -> endorsement.certificate() == null)
                    .ifPresent(endorsement -> System.out.println(NO_CERTIFICATE));
        }
        return null;
    }

    private static TpmFamily parseFamily(String word) throws CommandException {
        for (TpmFamily candidate : TpmFamily.values()) {
            if (candidate.label().equals(word)) {
                return candidate;
            }
        }
        String choices = Arrays.stream(TpmFamily.values()).map(TpmFamily::label).collect(Collectors.joining(", "));
        throw new CommandException("--family is one of " + choices + ", not '" + word + "'");
    }
}
