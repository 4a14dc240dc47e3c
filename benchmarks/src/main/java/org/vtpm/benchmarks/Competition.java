package org.vtpm.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.vtpm.itests.process.KarafServer;
import org.vtpm.itests.process.Programs;
import org.vtpm.itests.process.Swtpm;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** Runs the assembly, and as many of Debian's swtpm as it has instances. */
final class Competition implements AutoCloseable {
    private final Path folder;
    private final KarafServer karaf;
    private final List<Integer> ourPorts = new ArrayList<>();
    private final List<Integer> swtpmPorts = new ArrayList<>();
    private final List<Swtpm> swtpms = new ArrayList<>();

    Competition(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        this.karaf = KarafServer.install(folder.resolve("karaf"));
    }

    /** New instances of ours, with owners. */
    List<Contestant> ours(int count) throws IOException, InterruptedException {
        List<Contestant> contestants = new ArrayList<>();
        int first = ourPorts.size();
        for (int port : ourPorts(first + count).subList(first, first + count)) {
            contestants.add(new Contestant(new TimedSocket(port)));
        }
        return contestants;
    }

    /** New swtpms, with owners. */
    List<Contestant> swtpms(int count) throws IOException, InterruptedException {
        List<Contestant> contestants = new ArrayList<>();
        int first = swtpmPorts.size();
        for (int port : swtpmPorts(first + count).subList(first, first + count)) {
            TimedSocket socket = new TimedSocket(port);
            new Tpm12Client(socket, new SplittableRandom(1))
                    .createEndorsementKey()
                    .orFail();
            contestants.add(new Contestant(socket));
        }
        return contestants;
    }

    /** Where that many of our instances are served. */
    List<Integer> ourPorts(int count) throws IOException, InterruptedException {
        List<Integer> more = new ArrayList<>();
        List<String> orders = new ArrayList<>();
        while (ourPorts.size() + more.size() < count) {
            int port = KarafServer.freePort();
            if (more.contains(port) || ourPorts.contains(port)) {
                continue;
            }
            more.add(port);
            orders.add("vtpm:create guest" + port + " --endpoint tcp:127.0.0.1:" + port);
        }
        if (!orders.isEmpty()) {
            Programs.Result created = karaf.shell(orders.toArray(String[]::new));
            if (created.exit() != 0) {
                throw new IOException(created.output());
            }
        }
        for (int port : more) {
            karaf.connect(port).close();
        }
        ourPorts.addAll(more);
        return ourPorts.subList(0, count);
    }

    /** Where that many of swtpm are served; each has been started. */
    List<Integer> swtpmPorts(int count) throws IOException, InterruptedException {
        while (swtpmPorts.size() < count) {
            int port = KarafServer.freePort();
            swtpms.add(Swtpm.startTcp(folder.resolve("swtpm" + port), port));
            try (Tpm12Client tpm = new Tpm12Client(new TimedSocket(port), new SplittableRandom(1))) {
                tpm.startup(Structures.ST_CLEAR).orFail();
            }
            swtpmPorts.add(port);
        }
        return swtpmPorts.subList(0, count);
    }

    /** The time that processors worked for the assembly. */
    Duration ourProcessorTime() {
        return processorTime(ProcessHandle.of(karaf.pid()).orElseThrow());
    }

    /** The time that processors worked for all swtpms. */
    Duration theirProcessorTime() {
        return swtpms.stream().map(Swtpm::processorTime).reduce(Duration.ZERO, Duration::plus);
    }

    /** The time that processors worked for the clients, which are this program. */
    static Duration clientsProcessorTime() {
        return processorTime(ProcessHandle.current());
    }

    private static Duration processorTime(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    @Override
    public void close() {
        swtpms.forEach(Swtpm::close);
        karaf.close();
    }
}
