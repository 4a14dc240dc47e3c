package org.vtpm.shell;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.api.storage.PolicyDraft;
import org.vtpm.api.storage.RootAdministration;
import org.vtpm.api.storage.RootStatus;
import org.vtpm.api.storage.StorageAdministration;

/** {@code vtpm:root}. */
@Service
@Command(
        scope = "vtpm",
        name = "root",
        description = "Says which roots of trust open the storage, and when; works also while the storage is closed.",
        detailedDescription = "Actions: list; status [ROOT]; enroll ROOT [--pcrs LIST] [--operator-key FILE]"
                + " [--sign FILE] [--owner-auth-file FILE [--take-ownership]] [--recovery K/N | --no-recovery];"
                + " policy ROOT [--pcr N=HEX]... (--out FILE | --signature FILE | --sign FILE);"
                + " reseal ROOT [--owner-auth-file FILE]; withdraw ROOT; recovery K/N; recover [--keys-file FILE]."
                + " Example: vtpm:root enroll tpm20 --pcrs 0-7 --sign /root/operator.pem; vtpm:root status tpm20")
public final class Root implements Action {
    private static final String PCRS = "--pcrs";
    private static final String PCR = "--pcr";
    private static final String OPERATOR_KEY = "--operator-key";
    private static final String OWNER_AUTH = "--owner-auth-file";
    private static final String TAKE_OWNERSHIP = "--take-ownership";
    private static final String RECOVERY_SET = "--recovery";
    private static final String NO_RECOVERY = "--no-recovery";
    private static final String KEYS_FILE = "--keys-file";

    /** The longest authorization value that a TPM takes: a digest of SHA-512. */
    private static final int LONGEST_AUTH = 64;

    /** What is done, and the options that belong to it. */
    private enum Task {
        LIST("--json"),
        STATUS("--json"),
        ENROLL(PCRS, OPERATOR_KEY, Signing.KEY, OWNER_AUTH, TAKE_OWNERSHIP, RECOVERY_SET, NO_RECOVERY),
        POLICY(PCR, Signing.OUT, Signing.SIGNATURE, Signing.KEY),
        RESEAL(OWNER_AUTH),
        WITHDRAW,
        RECOVERY,
        RECOVER(KEYS_FILE);

        private final String options;

        Task(String... options) {
            this.options = String.join(" ", options);
        }

        Set<String> options() {
            return Set.of(options.split(" "));
        }
    }

    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Option(
            name = PCRS,
            description =
                    "PCRs that an approved policy gives values for, such as 0,1,2,7 or 0-7. Default: the state of the"
                            + " host does not matter")
    private @Nullable String pcrs;

    @Option(
            name = OPERATOR_KEY,
            description =
                    "PEM file on the manager's host with the public key that approves policies: RSA of 2048 bits, or"
                            + " EC on P-256")
    @Completion(FileCompleter.class)
    private @Nullable String operatorKey;

    @Option(name = Signing.KEY, description = Signing.KEY_HELP)
    @Completion(FileCompleter.class)
    private @Nullable String signingKey;

    @Option(
            name = OWNER_AUTH,
            description = "File on the manager's host with the authorization value of the TPM's owner, octet by octet")
    @Completion(FileCompleter.class)
    private @Nullable String ownerAuthFile;

    @Option(name = TAKE_OWNERSHIP, description = "Give a TPM 1.2 that has no owner one, with that authorization value")
    private boolean takeOwnership;

    @Option(
            name = RECOVERY_SET,
            description = "Recovery keys to make if there are none: 2/3 is three, of which two open")
    private @Nullable String recovery;

    @Option(name = NO_RECOVERY, description = "Make no recovery keys")
    private boolean withoutRecovery;

    @Option(
            name = PCR,
            description = "A PCR's value after an update, such as 7=0f1e...; may be repeated. Default: as they are now",
            valueToShowInHelp = "",
            multiValued = true)
    private List<String> values = List.of();

    @Option(name = Signing.OUT, description = Signing.OUT_HELP)
    @Completion(FileCompleter.class)
    private @Nullable String out;

    @Option(name = Signing.SIGNATURE, description = Signing.SIGNATURE_HELP)
    @Completion(FileCompleter.class)
    private @Nullable String signature;

    @Option(
            name = KEYS_FILE,
            description = "File on the manager's host with recovery keys, one a line. Default: they are asked for")
    @Completion(FileCompleter.class)
    private @Nullable String keysFile;

    @Argument(
            name = "action",
            description = "list, status, enroll, policy, reseal, withdraw, recovery or recover",
            required = true)
    @Completion(
            value = StringsCompleter.class,
            values = {"list", "status", "enroll", "policy", "reseal", "withdraw", "recovery", "recover"})
    private String action;

    @Argument(name = "root", description = "Name of a root of trust", index = 1, multiValued = true)
    @Completion(RootNames.class)
    private @Nullable List<String> words;

    @Reference(optional = true)
    private @Nullable RootAdministration administration;

    @Reference(optional = true)
    private @Nullable StorageAdministration storage;

    @Reference
    private Session session;

    @Override
    public @Nullable Object execute() throws CommandException {
        List<String> names = Words.takeOptions(this, words);
        Task task = Words.constant(Task.class, "The action of vtpm:root", action);
        Words.onlyOptions(this, "vtpm:root " + action, task.options());
        RootAdministration roots = administered(administration);
        switch (task) {
            case LIST -> list(roots, names);
            case STATUS -> status(roots, names);
            case ENROLL -> enroll(roots, only(names, "the name of a root of trust"));
            case POLICY -> policy(roots, only(names, "the name of a root of trust"));
            case RESEAL -> reseal(roots, only(names, "the name of a root of trust"));
            case WITHDRAW -> {
                String root = only(names, "the name of a root of trust");
                Instances.tell(() -> roots.withdraw(root));
                System.out.println(root + ": withdrawn; it opens the storage no more");
            }
            case RECOVERY -> RecoverySet.of(only(names, "K/N, such as 2/3")).make(roots);
            case RECOVER -> {
                Words.none(names);
                recover(roots);
            }
        }
        return null;
    }

    /** The storage's service for roots; missing only if its bundle does not run. */
    static RootAdministration administered(@Nullable RootAdministration administration) throws CommandException {
        if (administration == null) {
            throw new CommandException("The storage is not running. bundle:list shows which bundles did not start");
        }
        return administration;
    }

    private String only(List<String> names, String what) throws CommandException {
        if (names.isEmpty()) {
            throw new CommandException("vtpm:root " + action + " needs " + what);
        }
        Words.none(names.subList(1, names.size()));
        return names.get(0);
    }

    private void list(RootAdministration roots, List<String> names) throws CommandException {
        Words.none(names);
        List<RootStatus> all = roots.roots();
        if (json) {
            System.out.println(Json.write(all.stream().map(RootReport::json).toList()));
        } else {
            RootReport.overview(all).print(System.out);
        }
    }

    private void status(RootAdministration roots, List<String> names) throws CommandException {
        List<RootStatus> shown = names.isEmpty() ? roots.roots() : List.of(find(roots, only(names, "a name")));
        int quorum = roots.recoveryQuorum();
        if (json) {
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            members.put("storageOpen", storage != null);
            members.put("recoveryQuorum", quorum);
            members.put("roots", shown.stream().map(RootReport::json).toList());
            System.out.println(Json.write(members));
            return;
        }
        for (RootStatus root : shown) {
            RootReport.details(root).print(System.out);
            System.out.println();
        }
        System.out.println("Storage: " + (storage == null ? "closed; log:display says why" : "open"));
        System.out.println("Recovery keys: "
                + (quorum == 0
                        ? "none; vtpm:root recovery 1/1 makes one"
                        : quorum + (quorum == 1 ? " of them opens" : " of them open") + " the storage"));
    }

    private static RootStatus find(RootAdministration roots, String name) throws CommandException {
        return roots.roots().stream()
                .filter(root -> root.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new CommandException("No root of trust '" + name + "'; vtpm:root list shows those there are"));
    }

    private void enroll(RootAdministration roots, String root) throws CommandException {
        if (recovery != null && withoutRecovery) {
            throw new CommandException("Give " + RECOVERY_SET + " or " + NO_RECOVERY + ", not both");
        }
        RecoverySet set = recovery == null ? RecoverySet.SINGLE : RecoverySet.of(recovery);
        Set<Integer> indices = pcrs == null ? Set.of() : Pcrs.indices(pcrs);
        Optional<OperatorKey.Private> signer = signer();
        byte[] approver = approver(indices, signer);
        SealingTerms terms = terms(indices, approver);
        try {
            Instances.tell(() -> roots.enroll(root, terms));
        } finally {
            Arrays.fill(terms.ownerAuth(), (byte) 0);
        }
        System.out.println(root + ": enrolled");
        // Whoever is shut out by a policy that failed needs recovery keys most.
        CommandException failed = null;
        try {
            if (signer.isPresent()) {
                approveNow(roots, root, signer.get());
            } else if (!indices.isEmpty()) {
                printHowToApprove(root);
            }
        } catch (CommandException e) {
            failed = e;
        }
        provideRecovery(roots, set);
        if (failed != null) {
            throw new CommandException(
                    root + " is enrolled, but does not open yet: no policy was approved: " + failed.getMessage(),
                    failed);
        }
    }

    private Optional<OperatorKey.Private> signer() throws CommandException {
        return signingKey == null ? Optional.empty() : Optional.of(OperatorKey.readPrivate(HostFile.named(signingKey)));
    }

    /** The public key that is to approve policies; empty without PCRs. */
    private byte[] approver(Set<Integer> indices, Optional<OperatorKey.Private> signer) throws CommandException {
        if (indices.isEmpty()) {
            if (signer.isPresent() || operatorKey != null) {
                throw new CommandException("Only policies on PCRs are signed: give the PCRs, as with " + PCRS + " 0-7");
            }
            return new byte[0];
        }
        if (operatorKey != null) {
            byte[] key = OperatorKey.readPublic(HostFile.named(operatorKey));
            if (signer.isPresent() && !signer.get().isFor(key)) {
                throw new CommandException(
                        "The keys of " + OPERATOR_KEY + " and " + Signing.KEY + " are not halves of one key");
            }
            return key;
        }
        if (signer.isEmpty()) {
            throw new CommandException(PCRS + " needs the key that approves the host's states: " + OPERATOR_KEY
                    + " PUB.pem, or " + Signing.KEY + " KEY.pem to approve the present state at once. To make one:"
                    + " openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem;"
                    + " openssl pkey -in key.pem -pubout -out pub.pem");
        }
        return signer.get()
                .publicHalf()
                .orElseThrow(() -> new CommandException(
                        "The file of " + Signing.KEY + " does not tell the public half of its key; give that with "
                                + OPERATOR_KEY + " PUB.pem too"));
    }

    private SealingTerms terms(Set<Integer> indices, byte[] approver) throws CommandException {
        if (takeOwnership && ownerAuthFile == null) {
            throw new CommandException(TAKE_OWNERSHIP + " needs the new owner's authorization value: " + OWNER_AUTH);
        }
        byte[] auth = ownerAuth();
        try {
            return new SealingTerms(indices, approver, auth, takeOwnership);
        } finally {
            Arrays.fill(auth, (byte) 0);
        }
    }

    private byte[] ownerAuth() throws CommandException {
        return ownerAuthFile == null ? new byte[0] : HostFile.read(HostFile.named(ownerAuthFile), LONGEST_AUTH);
    }

    private static void approveNow(RootAdministration roots, String root, OperatorKey.Private signer)
            throws CommandException {
        PolicyDraft draft = Instances.ask(() -> roots.draft(root, List.of()));
        byte[] signed = signer.sign(draft.toSign());
        Instances.tell(() -> roots.approve(root, draft.values(), signed));
        printApproved(root, draft.values());
    }

    private static void printApproved(String root, List<PcrValue> values) {
        System.out.println(root + ": approved of these values of PCRs " + Pcrs.list(values));
        values.forEach(value -> System.out.println("  " + value));
    }

    private static void printHowToApprove(String root) {
        System.out.println(root + ": opens when the operator's key has signed a policy; next:");
        System.out.println("  vtpm:root policy " + root + " " + Signing.OUT + " FILE");
    }

    private void provideRecovery(RootAdministration roots, RecoverySet set) throws CommandException {
        if (withoutRecovery) {
            return;
        }
        if (roots.recoveryQuorum() == 0) {
            set.make(roots);
        } else if (recovery != null) {
            System.out.println("There are recovery keys already, and they stay; vtpm:root recovery " + recovery
                    + " makes new ones");
        }
    }

    private void policy(RootAdministration roots, String root) throws CommandException {
        Signing signing = Signing.by(out, signature, signingKey);
        List<PcrValue> expected = Pcrs.values(values);
        PolicyDraft draft = Instances.ask(() -> roots.draft(root, expected));
        if (out != null) {
            System.out.println("The policy approves of these values of PCRs " + Pcrs.list(draft.values()));
            draft.values().forEach(value -> System.out.println("  " + value));
        }
        // With all values: when the signature comes, those that are taken as they are now may be others.
        String again = "vtpm:root policy " + root + Pcrs.options(draft.values());
        Optional<byte[]> signed = signing.over(draft.toSign(), again);
        if (signed.isPresent()) {
            Instances.tell(() -> roots.approve(root, draft.values(), signed.get()));
            printApproved(root, draft.values());
        }
    }

    private void reseal(RootAdministration roots, String root) throws CommandException {
        byte[] auth = ownerAuth();
        try {
            Instances.tell(() -> roots.reseal(root, auth));
        } finally {
            Arrays.fill(auth, (byte) 0);
        }
        System.out.println(root + ": sealed anew");
        Examination examination = find(roots, root).examination();
        if (examination != null) {
            examination.problems().forEach(problem -> System.out.println("  " + problem));
        }
    }

    private void recover(RootAdministration roots) throws CommandException {
        int quorum = roots.recoveryQuorum();
        if (quorum == 0) {
            throw new CommandException("No recovery keys were made for this storage: only its roots of trust open it;"
                    + " vtpm:root status tells what keeps them from it");
        }
        try (RecoveryKeys given =
                keysFile == null ? RecoveryKeys.ask(session, quorum) : RecoveryKeys.read(HostFile.named(keysFile))) {
            Instances.tell(() -> roots.recover(given.keys()));
        }
        System.out.println(
                "The storage is open, until the manager ends. So that it opens by itself again, look at each");
        System.out.println("root of trust with vtpm:root status, then");
        System.out.println("  vtpm:root policy    if the host's state has changed");
        System.out.println("  vtpm:root reseal    if the TPM was cleared or replaced");
        System.out.println("  vtpm:root withdraw  if it is gone for good");
        for (RootStatus root : roots.roots()) {
            Examination examination = root.examination();
            if (root.enrolled() && (examination == null || !examination.opens())) {
                System.out.println(root.name() + ": "
                        + (examination == null ? "not there" : String.join("; ", examination.problems())));
            }
        }
    }
}
