package org.vtpm.shell;

import java.io.IOException;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.CommandException;

/** Asks the operator for secrets, without showing what is typed. */
final class Terminal {
    private static final char NO_ECHO = '\0';

    private Terminal() {}

    /**
     * Asks for one secret. Karaf hands over what was typed as a String: it stays in memory until that is collected.
     *
     * @param what is asked for, as in: no key was given
     * @param option what to give instead, where there is no terminal
     * @throws CommandException if nothing was typed, or nobody can be asked
     */
    static String secret(Session session, String prompt, String what, String option) throws CommandException {
        try {
            String typed = session.readLine(prompt, NO_ECHO);
            if (typed == null || typed.isBlank()) {
                throw new CommandException("No " + what + " was given; nothing was changed");
            }
            return typed;
        } catch (UnsupportedOperationException e) {
            throw new CommandException(
                    "There is no terminal to ask for the " + what + "; give " + option + " FILE instead", e);
        } catch (IOException e) {
            throw new CommandException("Cannot ask for the " + what + " at the terminal: " + e.getMessage(), e);
        }
    }
}
