package org.vtpm.manager;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What nobody expected to be thrown while something was done for one instance, for the log. Each kind once for as long as the
 * instance is powered on: a guest that found a fault can repeat it.
 */
final class Faults {
    private static final Logger LOG = LoggerFactory.getLogger(Faults.class);

    private final Set<String> logged = ConcurrentHashMap.newKeySet();

    /** It is powered on anew: what is thrown from now on counts as the first. */
    void restart() {
        logged.clear();
    }

    /**
     * Logs a fault.
     *
     * @param instance the instance's name
     * @param effect what became of what was done, as in: command 0x14 was answered with a failure
     */
    void log(String instance, String effect, Throwable fault) {
        if (logged.add(fault.getClass().getName())) {
            LOG.error("Instance {}: {}, because of {}; {}", instance, effect, name(fault), remedy(fault), trace(fault));
        }
    }

    /** What a fault is called. Its message may quote what the guest sent, so it is left out. */
    static String name(Throwable fault) {
        return fault.getClass().getName();
    }

    /** What an operator can do about it. */
    static String remedy(Throwable fault) {
        if (fault instanceof OutOfMemoryError) {
            return "the manager has too little memory: give it more with -Xmx in EXTRA_JAVA_OPTS and restart it";
        }
        if (fault instanceof LinkageError) {
            return "a bundle was stopped or updated while it was in use: vtpm:restart the instance if it happens again";
        }
        return "it goes on with the next one; vtpm:restart the instance if it does not, and report this";
    }

    /** Where it was thrown, without its message. */
    private static Throwable trace(Throwable fault) {
        Throwable trace = new Throwable(name(fault));
        trace.setStackTrace(fault.getStackTrace());
        return trace;
    }
}
