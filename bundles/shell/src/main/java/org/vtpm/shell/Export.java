package org.vtpm.shell;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.completers.FileCompleter;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.InstanceState;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.BundleRecipient;

/** {@code vtpm:export}. */
@Service
@Command(
        scope = "vtpm",
        name = "export",
        description = "Writes an instance and its TPM to an encrypted bundle, for vtpm:import here or on another host.",
        detailedDescription = "For another host, with what vtpm:storage host-key prints there: vtpm:export web"
                + " /root/web.vtpm --to /root/other.pem. For a pass phrase, which is asked for: vtpm:export web"
                + " /root/web.vtpm. The instance stays here and goes on; only one of the two may be used.")
public final class Export implements Action {
    private static final String TO = "--to";

    @Option(
            name = TO,
            description = "The host that may open it: a PEM file with its public key, or the line of Base64 in it")
    @Completion(FileCompleter.class)
    private @Nullable String to;

    @Option(
            name = Passphrase.FILE,
            description = "File with the pass phrase that shall open it; a line end after it does not count."
                    + " Default: it is asked for")
    @Completion(FileCompleter.class)
    private @Nullable String passphraseFile;

    @Argument(name = "name", description = "Name or UUID of the instance", required = true)
    @Completion(InstanceNames.class)
    private String name;

    @Argument(
            name = "file",
            description = "New file on the manager's host for the bundle",
            index = 1,
            multiValued = true)
    @Completion(FileCompleter.class)
    private @Nullable List<String> words;

    @Reference
    private Session session;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> files = Words.takeOptions(this, words);
        Words.exactly(files, "vtpm:export INSTANCE FILE", 1);
        if (to != null && passphraseFile != null) {
            throw new CommandException("Give " + TO + " or " + Passphrase.FILE + ", not both");
        }
        VtpmManager host = Instances.managedBy(manager);
        InstanceInfo instance = Instances.find(host, name);
        Path file = HostFile.named(files.get(0));
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new CommandException(HostFile.taken(file));
        }
        UUID uuid = instance.record().uuid();
        if (to != null) {
            byte[] key = HostKey.named(to);
            HostFile.writeNew(file, Instances.ask(() -> host.exportInstance(uuid, new BundleRecipient.Host(key))));
            tell(instance, file, "for the host with the key SHA-256 " + Certificate.sha256(key));
            return null;
        }
        try (Passphrase phrase = passphraseFile == null
                ? Passphrase.askTwice(session)
                : Passphrase.read(HostFile.named(passphraseFile))) {
            BundleRecipient recipient = new BundleRecipient.Passphrase(phrase.bytes());
            HostFile.writeNew(file, Instances.ask(() -> host.exportInstance(uuid, recipient)));
        }
        tell(instance, file, "for whoever knows the pass phrase");
        return null;
    }

    private static void tell(InstanceInfo instance, Path file, String recipient) {
        String instanceName = instance.record().name();
        System.out.println(instanceName + ": exported to " + file + ", " + recipient);
        if (instance.state() == InstanceState.SUSPENDED) {
            System.out.println("note     What it was doing when it was suspended is not in the bundle, only what a loss"
                    + " of power would leave.");
        } else if (instance.state() != InstanceState.STOPPED) {
            System.out.println("note     It goes on: what its TPM keeps from now on is not in the bundle. To move it,"
                    + " vtpm:stop it and export it then.");
        }
        System.out.println(
                "note     Before it is started elsewhere, vtpm:stop and vtpm:delete it here: two TPMs with the"
                        + " same keys and counters are worth less than one.");
    }
}
