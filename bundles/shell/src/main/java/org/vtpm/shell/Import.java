package org.vtpm.shell;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.completers.FileCompleter;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.ForeignState.KeyForm;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.instance.Isolation;
import org.vtpm.api.manager.ImportedInstance;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:import}. */
@Service
@Command(
        scope = "vtpm",
        name = "import",
        description = "Creates an instance from the state of a TPM 1.2 that swtpm kept; swtpm must not run any more.",
        detailedDescription =
                "Example: vtpm:import web /var/lib/swtpm/web --key /root/web.key" + " --endpoint tcp:127.0.0.1:6545")
public final class Import implements Action {
    @Option(name = "--uuid", description = Words.IDENTITY)
    private @Nullable String uuid;

    @Option(
            name = "--key",
            description = "File with the key that the state is encrypted with: file= of swtpm's option --key")
    @Completion(FileCompleter.class)
    private @Nullable String key;

    @Option(name = "--format", description = "How keys are written in their files: hex or binary, as swtpm's format=")
    @Completion(
            value = StringsCompleter.class,
            values = {"hex", "binary"})
    private String format = Words.label(KeyForm.HEX);

    @Option(
            name = "--passphrase-file",
            description =
                    "File with the pass phrase that the state is encrypted with: pwdfile= of swtpm's option --key")
    @Completion(FileCompleter.class)
    private @Nullable String passphraseFile;

    @Option(name = "--kdf", description = "How swtpm made keys of pass phrases: pbkdf2 or sha512, as its kdf=")
    @Completion(
            value = StringsCompleter.class,
            values = {"pbkdf2", "sha512"})
    private String kdf = Words.label(KeyForm.PBKDF2);

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

    @Option(name = "--endpoint", description = Words.ENDPOINT, valueToShowInHelp = "", multiValued = true)
    private List<String> endpoints = List.of();

    @Argument(name = "name", description = Words.NEW_NAME, required = true)
    private String name;

    @Argument(
            name = "file",
            description =
                    "swtpm's state folder (dir= of its option --tpmstate), the file tpm-00.permall in it, the file of"
                            + " backend-uri=file://, or what swtpm_ioctl --save permanent wrote; it stays as it is",
            index = 1,
            multiValued = true)
    @Completion(FileCompleter.class)
    private @Nullable List<String> words;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> files = Words.takeOptions(this, words);
        if (files.isEmpty()) {
            throw new CommandException("Give swtpm's state folder, or a file with its permanent state");
        }
        Words.none(files.subList(1, files.size()));
        NewInstance order = new NewInstance(
                name,
                uuid == null ? null : Words.uuid(uuid),
                TpmFamily.TPM_1_2,
                isolation == null ? null : Words.constant(Isolation.class, "--isolation", isolation),
                Words.constant(StartupMode.class, "--startup", startup),
                false,
                false,
                Words.endpoints(endpoints));
        VtpmManager host = Instances.managedBy(manager);
        ImportedInstance imported;
        try (SwtpmFolder folder = SwtpmFolder.of(Path.of(files.get(0)))) {
            ForeignState.Key opens = key("--key", key, "--passphrase-file", passphraseFile);
            ForeignState.Key unwraps =
                    key("--migration-key", migrationKey, "--migration-passphrase-file", migrationPassphraseFile);
            byte[] content = folder.permanent();
            try {
                ForeignState state = new ForeignState(ForeignState.Format.SWTPM, content, opens, unwraps);
                imported = Instances.ask(() -> host.importInstance(order, state));
            } finally {
                Arrays.fill(content, (byte) 0);
                zero(opens);
                zero(unwraps);
            }
            Instances.printNew(imported.instance());
            imported.notes().forEach(note -> System.out.println("note     " + note));
            folder.leftBehind().forEach(note -> System.out.println("note     " + note));
        }
        return null;
    }

    /** The key in one of two files, or null if neither is given. */
    private ForeignState.@Nullable Key key(
            String keyOption, @Nullable String keyFile, String phraseOption, @Nullable String phraseFile)
            throws CommandException {
        if (keyFile != null && phraseFile != null) {
            throw new CommandException("Give " + keyOption + " or " + phraseOption + ", not both");
        }
        if (keyFile != null) {
            KeyForm form = form("--format", format, KeyForm.HEX, KeyForm.BINARY);
            return new ForeignState.Key(form, SwtpmFolder.secret(Path.of(keyFile)));
        }
        if (phraseFile != null) {
            KeyForm form = form("--kdf", kdf, KeyForm.PBKDF2, KeyForm.SHA512);
            return new ForeignState.Key(form, SwtpmFolder.secret(Path.of(phraseFile)));
        }
        return null;
    }

    private static KeyForm form(String option, String word, KeyForm one, KeyForm other) throws CommandException {
        KeyForm form = Words.constant(KeyForm.class, option, word);
        if (form != one && form != other) {
            throw new CommandException(option + " is one of " + Words.label(one) + ", " + Words.label(other) + ", not '"
                    + Words.label(form) + "'");
        }
        return form;
    }

    private static void zero(ForeignState.@Nullable Key key) {
        if (key != null) {
            Arrays.fill(key.content(), (byte) 0);
        }
    }
}
