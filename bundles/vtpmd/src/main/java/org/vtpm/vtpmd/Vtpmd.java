package org.vtpm.vtpmd;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.transport.fifo.wire.EngineEnd;
import org.vtpm.transport.fifo.wire.FramePipe;
import org.vtpm.transport.fifo.wire.Role;

/**
 * Runs one engine on a pair of pipes for the manager that launched it, and for nobody else: what comes without a proof of
 * the secret from standard input is refused, and when standard input ends the process ends. The manager holds the other end
 * of it, so no engine outlives its manager, and none ever has a second one.
 */
final class Vtpmd {
    /** Told to stop: standard input ended. */
    static final int STOPPED = 0;
    /** The command line or the secret is not what the manager gives. */
    static final int USAGE = 2;
    /** The pipes cannot be opened, or what came on them was not the manager's. */
    static final int CHANNEL = 3;
    /** The engine cannot be opened with the state it was given. */
    static final int STATE = 4;
    /** A fault inside the engine. */
    static final int FAULT = 5;

    private static final int SECRET_BYTES = 32;

    private final List<EngineFactory> engines;
    private final InputStream in;
    private final PrintStream err;
    private final IntConsumer exit;

    /**
     * Names what the process lives on.
     *
     * @param engines one for each family
     * @param in brings the secret, then nothing until it ends
     * @param err one line for each error
     * @param exit ends the process from another thread
     */
    Vtpmd(List<EngineFactory> engines, InputStream in, PrintStream err, IntConsumer exit) {
        this.engines = engines;
        this.in = in;
        this.err = err;
        this.exit = exit;
    }

    /**
     * Serves commands. It ends by {@link #exit} when it is told to stop, and returns when something is wrong.
     *
     * @param arguments instance, pipe of commands, pipe of responses, TPM family
     * @return the exit status
     */
    int run(List<String> arguments) {
        if (arguments.size() != 4) {
            err.println("vtpmd is launched by the vTPM manager: vtpmd INSTANCE COMMANDS RESPONSES FAMILY");
            return USAGE;
        }
        String name = "vtpmd of instance " + arguments.get(0) + ": ";
        Optional<EngineFactory> factory = engines.stream()
                .filter(e -> e.family().label().equals(arguments.get(3)))
                .findFirst();
        if (factory.isEmpty()) {
            err.println(name + "there is no engine for TPM family " + arguments.get(3));
            return USAGE;
        }
        byte[] secret = new byte[SECRET_BYTES];
        try {
            if (in.readNBytes(secret, 0, SECRET_BYTES) != SECRET_BYTES) {
                err.println(name + "standard input ended within the secret");
                return USAGE;
            }
            watchInput();
            return serve(factory.get(), Path.of(arguments.get(1)), Path.of(arguments.get(2)), secret);
        } catch (EngineStateException e) {
            err.println(name + "its state cannot be used: " + e.getMessage());
            return STATE;
        } catch (IOException e) {
            err.println(name + "its channel failed: " + e);
            return CHANNEL;
        } catch (RuntimeException e) {
            err.println(name + "its engine failed");
            e.printStackTrace(err);
            return FAULT;
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }

    /** Ends the process with standard input, whatever it is doing: nobody is left to answer, or to store what changed. */
    private void watchInput() {
        Thread watch = new Thread(
                () -> {
                    try {
                        in.read();
                    } catch (IOException e) {
                        err.println("vtpmd: standard input: " + e.getMessage());
                    }
                    exit.accept(STOPPED);
                },
                "manager-watch");
        watch.setDaemon(true);
        watch.start();
    }

    /** Serves commands until one cannot be served; there is no other way out. */
    private static int serve(EngineFactory factory, Path commands, Path responses, byte[] secret)
            throws IOException, EngineStateException {
        try (EngineEnd end = new EngineEnd(FramePipe.hold(Role.ENGINE, commands, responses, secret));
                Engine engine = end.load(factory::open)) {
            while (true) {
                end.serve(engine);
            }
        }
    }
}
