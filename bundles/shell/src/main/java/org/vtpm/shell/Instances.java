package org.vtpm.shell;

import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;

/** Finds the instances that an operator named. */
final class Instances {
    /** Something done to one instance. */
    @FunctionalInterface
    interface Order {
        /** Returns the line that tells the operator what was done. */
        String carryOut(InstanceInfo instance) throws VtpmException;
    }

    private Instances() {}

    /**
     * The manager's service. Commands refer to it as optional: they shall say what is wrong while it is missing, instead
     * of being unknown.
     */
    static VtpmManager managedBy(@Nullable VtpmManager manager) throws CommandException {
        if (manager == null) {
            throw new CommandException(
                    "The vTPM manager is not running. vtpm:backends shows which services are missing,"
                            + " bundle:list which bundles did not start");
        }
        return manager;
    }

    static InstanceInfo find(VtpmManager manager, String name) throws CommandException {
        return manager.find(name)
                .orElseThrow(() -> new CommandException("No instance '" + name + "'; vtpm:list shows those there are"));
    }

    /** Carries an order out on each instance; those that cannot be found or fail do not keep the others from it. */
    static void each(VtpmManager manager, List<String> names, Order order) throws Exception {
        if (names.isEmpty()) {
            throw new CommandException("Give the name of at least one instance; vtpm:list shows those there are");
        }
        List<Exception> failures = new ArrayList<>();
        for (String name : names) {
            try {
                System.out.println(order.carryOut(find(manager, name)));
            } catch (VtpmException | CommandException e) {
                failures.add(e);
            }
        }
        if (failures.size() == 1) {
            throw failures.get(0);
        }
        if (!failures.isEmpty()) {
            List<String> messages = new ArrayList<>();
            for (Exception failure : failures) {
                messages.add(String.valueOf(failure.getMessage()));
            }
            CommandException all = new CommandException(String.join("\n", messages));
            failures.forEach(all::addSuppressed);
            throw all;
        }
    }

    /** A line on what an instance is doing. */
    static String line(InstanceInfo instance) {
        StringBuilder line = new StringBuilder();
        line.append(instance.record().name()).append(": ").append(instance.state());
        if (instance.reason() != null) {
            line.append(": ").append(instance.reason());
        }
        return line.toString();
    }
}
