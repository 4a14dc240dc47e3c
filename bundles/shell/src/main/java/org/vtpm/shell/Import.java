package org.vtpm.shell;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.ForeignState.KeyForm;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.BundleOrder;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.BundleLock;
import org.vtpm.api.storage.InstanceBundle;

/** {@code vtpm:import}. */
@Service
@Command(
        scope = "vtpm",
        name = "import",
        description =
                "Creates an instance from a bundle of vtpm:export, or from the state of a TPM 1.2 that swtpm kept;"
                        + " what kept the TPM before must not use it any more.",
        detailedDescription =
                "A bundle: vtpm:import /root/web.vtpm, or with another name for the instance: vtpm:import web2"
                        + " /root/web.vtpm. swtpm's state: vtpm:import web /var/lib/swtpm/web --key /root/web.key --endpoint"
                        + " tcp:127.0.0.1:6545")
public final class Import implements Action {
    private static final String FORMAT = "--format";
    private static final String KDF = "--kdf";
    private static final String UUID_OPTION = "--uuid";
    private static final String ISOLATION = "--isolation";
    private static final String STARTUP = "--startup";
    private static final String ENDPOINT = "--endpoint";

    @Option(name = UUID_OPTION, description = Words.IDENTITY + ", or that in the bundle")
    private @Nullable String uuid;

    @Option(
            name = "--key",
            description = "File with the key that the state is encrypted with: file= of swtpm's option --key")
    @Completion(FileCompleter.class)
    private @Nullable String key;

    @Option(
            name = FORMAT,
            description = "How keys are written in their files: hex or binary, as swtpm's format=. Default: hex")
    @Completion(
            value = StringsCompleter.class,
            values = {"hex", "binary"})
    private @Nullable String format;

    @Option(
            name = Passphrase.FILE,
            description =
                    "File with the pass phrase of the bundle, which is asked for otherwise; or with that which the state"
                            + " is encrypted with: pwdfile= of swtpm's option --key")
    @Completion(FileCompleter.class)
    private @Nullable String passphraseFile;

    @Option(
            name = KDF,
            description = "How swtpm made keys of pass phrases: pbkdf2 or sha512, as its kdf=. Default: pbkdf2")
    @Completion(
            value = StringsCompleter.class,
            values = {"pbkdf2", "sha512"})
    private @Nullable String kdf;

    @Option(
            name = "--migration-key",
            description = "File with the key that an exported state is encrypted with: file= of swtpm's option"
                    + " --migration-key")
    @Completion(FileCompleter.class)
    private @Nullable String migrationKey;

    @Option(
            name = "--migration-passphrase-file",
            description = "File with the pass phrase that an exported state is encrypted with: pwdfile= of swtpm's"
                    + " option --migration-key")
    @Completion(FileCompleter.class)
    private @Nullable String migrationPassphraseFile;

    @Option(name = ISOLATION, description = Words.ISOLATION + ", or as in the bundle")
    @Completion(
            value = StringsCompleter.class,
            values = {"shared", "process"})
    private @Nullable String isolation;

    @Option(name = STARTUP, description = Words.STARTUP + ". Default: clear, or as in the bundle")
    @Completion(
            value = StringsCompleter.class,
            values = {"none", "clear", "state", "deactivated"})
    private @Nullable String startup;

    @Option(name = ENDPOINT, description = Words.ENDPOINT, valueToShowInHelp = "", multiValued = true)
    private List<String> endpoints = List.of();

    @Argument(
            name = "name",
            description = Words.NEW_NAME + ". Left out for a bundle, whose instance keeps its name",
            required = true)
    @Completion(FileCompleter.class)
    private String name;

    @Argument(
            name = "file",
            description =
                    "A bundle, or swtpm's state folder (dir= of its option --tpmstate), the file tpm-00.permall in it, the file"
                            + " of backend-uri=file://, or what swtpm_ioctl --save permanent wrote; it stays as it is",
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
        boolean unnamed = files.isEmpty();
        String place = unnamed ? name : files.get(0);
        Words.none(unnamed ? files : files.subList(1, files.size()));
        Path file = HostFile.named(place);
        VtpmManager host = Instances.managedBy(manager);
        byte[] content = Files.isRegularFile(file) ? HostFile.read(file, InstanceBundle.LONGEST) : new byte[0];
        try {
            Optional<BundleLock> lock = Instances.ask(() -> host.bundleLock(content));
            if (lock.isPresent()) {
                importBundle(host, unnamed ? null : name, file, content, lock.get());
                return null;
            }
        } finally {
            // swtpm's state may lie in the open.
            Arrays.fill(content, (byte) 0);
        }
        if (unnamed) {
            throw new CommandException(
                    "Give swtpm's state folder, or a file with its permanent state, after the name of the"
                            + " new instance. Only the file of a bundle may stand alone, and "
                            + file + (Files.exists(file) ? " is none" : " does not exist"));
        }
        importSwtpm(host, file);
        return null;
    }

    private void importBundle(VtpmManager host, @Nullable String newName, Path file, byte[] bundle, BundleLock lock)
            throws CommandException {
        Words.onlyOptions(
                this, "vtpm:import of a bundle", Set.of(UUID_OPTION, ISOLATION, STARTUP, ENDPOINT, Passphrase.FILE));
        BundleOrder order = new BundleOrder(
                newName,
                uuid == null ? null : Words.uuid(uuid),
                isolation == null ? null : Words.constant(Isolation.class, ISOLATION, isolation),
                startup == null ? null : Words.constant(StartupMode.class, STARTUP, startup),
                Words.endpoints(endpoints));
        ImportedInstance imported;
        if (lock == BundleLock.HOST) {
            if (passphraseFile != null) {
                throw new CommandException(file + " is made for a host, which opens it without " + Passphrase.FILE);
            }
            imported = Instances.ask(() -> host.importBundle(order, bundle, null));
        } else {
            try (Passphrase phrase = passphraseFile == null
                    ? Passphrase.ask(session)
                    : Passphrase.read(HostFile.named(passphraseFile))) {
                imported = Instances.ask(() -> host.importBundle(order, bundle, phrase.bytes()));
            }
        }
        printImported(imported);
        System.out.println(
                "note     See that the instance it was exported from never runs again, and delete the bundle.");
    }

    private static void printImported(ImportedInstance imported) {
        Instances.printNew(imported.instance());
        imported.notes().forEach(note -> System.out.println("note     " + note));
    }

    private void importSwtpm(VtpmManager host, Path place) throws CommandException {
        NewInstance order = new NewInstance(
                name,
                uuid == null ? null : Words.uuid(uuid),
                TpmFamily.TPM_1_2,
                isolation == null ? null : Words.constant(Isolation.class, ISOLATION, isolation),
                startup == null ? StartupMode.CLEAR : Words.constant(StartupMode.class, STARTUP, startup),
                false,
                false,
                Words.endpoints(endpoints));
        try (SwtpmFolder folder = SwtpmFolder.of(place)) {
            ForeignState.Key opens = key("--key", key, Passphrase.FILE, passphraseFile);
            ForeignState.Key unwraps =
                    key("--migration-key", migrationKey, "--migration-passphrase-file", migrationPassphraseFile);
            byte[] content = folder.permanent();
            ImportedInstance imported;
            try {
                ForeignState state = new ForeignState(ForeignState.Format.SWTPM, content, opens, unwraps);
                imported = Instances.ask(() -> host.importInstance(order, state));
            } finally {
                Arrays.fill(content, (byte) 0);
                zero(opens);
                zero(unwraps);
            }
            printImported(imported);
            folder.leftBehind().forEach(note -> System.out.println("note     " + note));
        }
    }

    /** The key in one of two files, or null if neither is given. */
    private ForeignState.@Nullable Key key(
            String keyOption, @Nullable String keyFile, String phraseOption, @Nullable String phraseFile)
            throws CommandException {
        if (keyFile != null && phraseFile != null) {
            throw new CommandException("Give " + keyOption + " or " + phraseOption + ", not both");
        }
        if (keyFile != null) {
            KeyForm form = form(FORMAT, format, KeyForm.HEX, KeyForm.BINARY);
            return new ForeignState.Key(form, SwtpmFolder.secret(HostFile.named(keyFile)));
        }
        if (phraseFile != null) {
            KeyForm form = form(KDF, kdf, KeyForm.PBKDF2, KeyForm.SHA512);
            return new ForeignState.Key(form, SwtpmFolder.secret(HostFile.named(phraseFile)));
        }
        return null;
    }

    /** The form that an operator named, or the usual one. */
    private static KeyForm form(String option, @Nullable String word, KeyForm usual, KeyForm other)
            throws CommandException {
        KeyForm form = word == null ? usual : Words.constant(KeyForm.class, option, word);
        if (form != usual && form != other) {
            throw new CommandException(option + " is one of " + Words.label(usual) + ", " + Words.label(other)
                    + ", not '" + Words.label(form) + "'");
        }
        return form;
    }

    private static void zero(ForeignState.@Nullable Key key) {
        if (key != null) {
            Arrays.fill(key.content(), (byte) 0);
        }
    }
}
