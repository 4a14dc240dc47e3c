package org.vtpm.shell;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.apache.karaf.shell.api.console.Command;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.impl.action.command.ManagerImpl;
import org.apache.karaf.shell.impl.console.SessionFactoryImpl;
import org.apache.karaf.shell.support.parsing.DefaultParser;

/** Karaf's real shell without its container: commands are parsed, run and completed as an operator's are. */
final class KarafShell implements AutoCloseable {
    private final ThreadIOImpl threadIo = new ThreadIOImpl();
    private final SessionFactoryImpl factory;
    private final ManagerImpl commands;
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final Session session;

    /** @param services what the commands' references find */
    KarafShell(Object... services) {
        threadIo.start();
        factory = new SessionFactoryImpl(threadIo);
        commands = new ManagerImpl(factory, factory);
        for (Object service : services) {
            factory.register(service);
        }
        PrintStream console = new PrintStream(output, true, StandardCharsets.UTF_8);
        session = factory.create(new ByteArrayInputStream(new byte[0]), console, console);
    }

    /** Registers a command or completer, as Karaf does with every annotated class of the bundle. */
    void register(Class<?>... classes) {
        for (Class<?> type : classes) {
            commands.register(type);
        }
    }

    /** Runs a line and returns what it printed. */
    String run(String line) throws Exception {
        output.reset();
        session.execute(line);
        return printed();
    }

    /** What the last line printed, also if it failed. */
    String printed() {
        return output.toString(StandardCharsets.UTF_8);
    }

    /**
     * Lets someone sit at a terminal, who answers the commands' questions.
     *
     * @param answers are taken from the front
     * @return the prompts so far, each with a space and the character that is shown for what is typed
     */
    List<String> answer(Deque<String> answers) {
        List<String> prompts = new ArrayList<>();
        Session terminal = (Session) Proxy.newProxyInstance(
                KarafShell.class.getClassLoader(), new Class<?>[] {Session.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("readLine")) {
                        prompts.add(arguments[0] + " " + arguments[1]);
                        return answers.removeFirst();
                    }
                    return method.invoke(session, arguments);
                });
        session.getRegistry().unregister(session);
        session.getRegistry().register(terminal);
        return prompts;
    }

    /** The words that completion offers at the end of a line. */
    List<String> complete(String line) {
        List<String> candidates = new ArrayList<>();
        String name = line.substring(line.indexOf(':') + 1, line.indexOf(' '));
        for (Command command : factory.getCommands()) {
            if (command.getScope().equals("vtpm") && command.getName().equals(name)) {
                command.getCompleter(false)
                        .complete(session, new DefaultParser().parse(session, line, line.length()), candidates);
            }
        }
        return candidates.stream().map(String::trim).toList();
    }

    @Override
    public void close() {
        session.close();
        factory.stop();
        threadIo.stop();
    }
}
