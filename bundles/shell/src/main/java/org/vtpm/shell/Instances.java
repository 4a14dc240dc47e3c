package org.vtpm.shell;

import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.EndpointInfo;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;
import org.vtpm.api.storage.StateException;

/** Reaches the manager, and the instances that an operator named. */
final class Instances {
    /** Something done to one instance. */
    @FunctionalInterface
    interface Order {
        /** Returns the line that tells the operator what was done. */
        String carryOut(InstanceInfo instance) throws VtpmException;
    }

    /** Something the manager or the storage is asked for. */
    @FunctionalInterface
    interface Request<T> {
        T make() throws VtpmException, StateException;
    }

    /** Something the manager or the storage is told to do. */
    @FunctionalInterface
    interface Task {
        void carryOut() throws VtpmException, StateException;
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
                            + " bundle:list which bundles did not start, vtpm:root status whether the storage is"
                            + " closed");
        }
        return manager;
    }

    /**
     * Makes a request. That it is refused is told to the operator alone: Karaf writes all other failures to the log
     * with their stack traces.
     */
    static <T> T ask(Request<T> request) throws CommandException {
        try {
            return request.make();
        } catch (VtpmException | StateException e) {
            throw new CommandException(e.getMessage(), e);
        }
    }

    /** Has a task carried out; otherwise as {@link #ask}. */
    static void tell(Task task) throws CommandException {
        var unused = ask(() -> {
            task.carryOut();
            return true;
        });
    }

    static InstanceInfo find(VtpmManager manager, String name) throws CommandException {
        return manager.find(name)
                .orElseThrow(() -> new CommandException("No instance '" + name + "'; vtpm:list shows those there are"));
    }

    /** Carries an order out on each instance; those that cannot be found or fail do not keep the others from it. */
    static void each(VtpmManager manager, List<String> names, Order order) throws CommandException {
        if (names.isEmpty()) {
            throw new CommandException("Give the name of at least one instance; vtpm:list shows those there are");
        }
        List<String> failures = new ArrayList<>();
        for (String name : names) {
            try {
                InstanceInfo instance = find(manager, name);
                System.out.println(ask(() -> order.carryOut(instance)));
            } catch (CommandException e) {
                failures.add(String.valueOf(e.getMessage()));
            }
        }
        if (!failures.isEmpty()) {
            throw new CommandException(String.join("\n", failures));
        }
    }

    /** Tells of an instance that was not there before. */
    static void printNew(InstanceInfo created) {
        System.out.println(line(created));
        System.out.println("uuid     " + created.record().uuid());
        for (EndpointInfo endpoint : created.endpoints()) {
            System.out.println("endpoint " + endpoint.uri());
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
