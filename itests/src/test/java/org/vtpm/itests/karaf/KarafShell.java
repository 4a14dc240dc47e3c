package org.vtpm.itests.karaf;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.security.auth.Subject;
import org.apache.karaf.jaas.boot.principal.RolePrincipal;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.api.console.SessionFactory;

/** An operator at the container's shell, with the roles of the user that the product's first start makes. */
final class KarafShell {
    private static final Subject OPERATOR = new Subject(
            true,
            Stream.of("admin", "manager", "viewer", "systembundles", "ssh")
                    .map(RolePrincipal::new)
                    .collect(Collectors.toSet()),
            Set.of(),
            Set.of());
    private static final Pattern COLOURS = Pattern.compile("\u001B\\[[0-9;]*m");

    private final SessionFactory sessions;

    KarafShell(SessionFactory sessions) {
        this.sessions = sessions;
    }

    /** Runs a command line, and returns what it printed. */
    String run(String line) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, UTF_8)) {
            Subject.doAs(OPERATOR, (PrivilegedExceptionAction<Object>) () -> {
                Session session = sessions.create(InputStream.nullInputStream(), out, out);
                try {
                    return session.execute(line);
                } finally {
                    session.close();
                }
            });
        } catch (PrivilegedActionException e) {
            throw e.getException();
        }
        return COLOURS.matcher(bytes.toString(UTF_8)).replaceAll("");
    }

    /** Runs a command line that has to fail, and returns what the operator is told. */
    String failure(String line) {
        String printed;
        try {
            printed = run(line);
        } catch (Exception e) {
            return String.valueOf(e.getMessage());
        }
        throw new AssertionError("'" + line + "' did not fail, but printed: " + printed);
    }
}
