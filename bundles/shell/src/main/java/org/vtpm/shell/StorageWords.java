package org.vtpm.shell;

import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.FileCompleter;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.StorageAdministration.KeyLevel;
import org.vtpm.api.storage.StorageAdministration.ReplayPolicy;

/** Completes what an action of {@code vtpm:storage} needs: instances, and the snapshots of the one that stands before. */
@Service
public final class StorageWords implements Completer {
    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public int complete(Session session, CommandLine commandLine, List<String> candidates) {
        if (commandLine.getCursorArgumentIndex() == 0) {
            // Karaf asks of each word before the cursor, without those before it, whether it could be what was
            // completed.
            return new StringsCompleter(List.of(commandLine.getCursorArgument()), true)
                    .complete(session, commandLine, candidates);
        }
        String before = word(commandLine, 1);
        List<String> choices = switch (before) {
            case "snapshot", "snapshots", "restore", "drop", "revert" -> instances();
            case "rotate" -> labels(KeyLevel.values());
            case "replay" -> labels(ReplayPolicy.values());
            case "operator-key" -> List.of();
            default -> hasSnapshot(word(commandLine, 2)) ? snapshots(before) : List.of();
        };
        return before.equals("operator-key")
                ? new FileCompleter().complete(session, commandLine, candidates)
                : new StringsCompleter(choices, true).complete(session, commandLine, candidates);
    }

    /** The word that stands so many words before the cursor; empty if there is none. */
    private static String word(CommandLine commandLine, int back) {
        int index = commandLine.getCursorArgumentIndex() - back;
        return index < 0 ? "" : commandLine.getArguments()[index];
    }

    private static boolean hasSnapshot(String action) {
        return action.equals("restore") || action.equals("drop");
    }

    private static List<String> labels(Enum<?>... constants) {
        List<String> labels = new ArrayList<>();
        for (Enum<?> constant : constants) {
            labels.add(Words.label(constant));
        }
        return labels;
    }

    private List<String> instances() {
        List<String> names = new ArrayList<>();
        if (manager != null) {
            manager.instances().forEach(instance -> names.add(instance.record().name()));
        }
        return names;
    }

    private List<String> snapshots(String name) {
        List<String> names = new ArrayList<>();
        if (manager == null) {
            return names;
        }
        for (InstanceInfo instance : manager.find(name).stream().toList()) {
            try {
                manager.stateSnapshots(instance.record().uuid()).forEach(snapshot -> names.add(snapshot.name()));
            } catch (VtpmException e) {
                // Then there is nothing to offer; the command itself says why.
                return List.of();
            }
        }
        return names;
    }
}
