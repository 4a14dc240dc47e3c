package org.vtpm.itests.sidebyside;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vtpm.api.engine.LaunchSignal;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.itests.process.Swtpm;
import org.vtpm.itests.process.SwtpmControl;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.SocketTpm;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.coverage.Exercised;

/**
 * Random dynamic launches, with commands from all localities between their signals, on our engine and on Debian's swtpm.
 * How many is the system property {@value #ROUNDS}.
 */
class LaunchIT {
    private static final String ROUNDS = "vtpm.launch.rounds";
    private static final int DEFAULT_ROUNDS = 100;
    private static final int MOST_STEPS = 60;
    private static final int STEPS_AFTER_FAILURE = 3;
    private static final int MOST_DATA = 200;
    private static final int LOCALITIES = 5;
    private static final int FIRST_PCR = 15;
    private static final int LAST_PCR = 23;
    private static final String FAILEDSELFTEST = "0000001c";
    private static final byte[] CLEAR = u16(1);
    private static final byte[] STATE = u16(2);

    /** One of the two, with its power switch. */
    private interface Part extends AutoCloseable {
        void powerCycle() throws IOException;

        int signal(LaunchSignal signal, byte[] data) throws IOException;

        byte[] execute(int locality, byte[] command) throws IOException;

        @Override
        void close();
    }

    /** What is done to both; the answer in hexadecimal. */
    private interface Step {
        String run(Part part) throws IOException;
    }

    @Test
    void launchesLeaveBothInTheSameState(@TempDir Path folder) throws Exception {
        int rounds = Integer.getInteger(ROUNDS, DEFAULT_ROUNDS);
        int compared = 0;
        try (Part ours = new Ours();
                Part reference = new Reference(folder)) {
            for (int round = 0; round < rounds; round++) {
                compared += compare(new Random(round), ours, reference);
            }
        }
        assertThat(compared).isGreaterThan(rounds);
        System.out.println("LaunchIT: " + compared + " answers in " + rounds + " launches are the same");
    }

    /** One launch; the result is how many answers were the same. */
    private static int compare(Random random, Part ours, Part reference) throws IOException {
        ours.powerCycle();
        reference.powerCycle();
        List<String> history = new ArrayList<>();
        if (random.nextInt(8) != 0) {
            same(new Named("startup", command(0, Ordinal.STARTUP, CLEAR)), ours, reference, history);
        }
        boolean launching = false;
        int left = random.nextInt(MOST_STEPS);
        while (left-- > 0) {
            Named step = step(random, launching);
            String answer = same(step, ours, reference, history);
            boolean failed = step.signal() ? !answer.equals("0") : answer.endsWith(FAILEDSELFTEST);
            if (failed) {
                // In failure mode swtpm would still begin a launch.
                for (int i = 0; i < STEPS_AFTER_FAILURE; i++) {
                    same(query(random), ours, reference, history);
                }
                break;
            }
            launching = step.signal() ? !step.name().startsWith(LaunchSignal.HASH_END.name()) : launching;
        }
        return history.size();
    }

    /**
     * A step and what it is called in messages.
     *
     * @param signal whether it is a signal, not a command
     */
    private record Named(String name, Step step, boolean signal) {
        Named(String name, Step step) {
            this(name, step, false);
        }
    }

    private static String same(Named step, Part ours, Part reference, List<String> history) throws IOException {
        history.add(step.name());
        String answer = step.step().run(ours);
        assertThat(answer).as("%s", history).isEqualTo(step.step().run(reference));
        return answer;
    }

    private static Named step(Random random, boolean launching) {
        return switch (random.nextInt(10)) {
            case 0, 1, 2, 3, 4 -> {
                // Seldom out of turn: that ends the round.
                boolean inTurn = random.nextInt(32) != 0;
                if (launching != inTurn) {
                    yield signal(LaunchSignal.HASH_START, new byte[0]);
                }
                if (random.nextInt(3) == 0) {
                    yield signal(LaunchSignal.HASH_END, new byte[0]);
                }
                byte[] data = new byte[random.nextInt(MOST_DATA)];
                random.nextBytes(data);
                yield signal(LaunchSignal.HASH_DATA, data);
            }
            case 5 -> {
                int pcr = pcr(random);
                yield new Named(
                        "extend " + pcr,
                        command(random.nextInt(LOCALITIES), Ordinal.EXTEND, concat(u32(pcr), new byte[20])));
            }
            case 6 -> {
                int bit = 1 << pcr(random);
                byte[] selection = concat(u16(3), u8(bit), u8(bit >> 8), u8(bit >> 16));
                yield new Named("reset", command(random.nextInt(LOCALITIES), Ordinal.PCR_RESET, selection));
            }
            default -> query(random);
        };
    }

    private static Named signal(LaunchSignal signal, byte[] data) {
        return new Named(signal + " " + data.length, part -> Integer.toHexString(part.signal(signal, data)), true);
    }

    /** Commands that show or change something. */
    private static Named query(Random random) {
        int locality = random.nextInt(LOCALITIES);
        return switch (random.nextInt(9)) {
            case 0 -> new Named("flags", command(locality, Ordinal.GET_CAPABILITY, concat(u32(4), sized(u32(0x108)))));
            case 1 -> new Named("SHA1Start", command(locality, Ordinal.SHA1_START, new byte[0]));
            case 2 -> new Named("SaveState", command(locality, Ordinal.SAVE_STATE, new byte[0]));
            case 3 -> new Named("SHA1Complete", command(locality, Ordinal.SHA1_COMPLETE, sized(u16(7))));
            case 4 ->
                new Named(
                        "reset establishment at " + locality,
                        command(locality, Ordinal.TSC_RESET_ESTABLISHMENT_BIT, new byte[0]));
            case 5 -> new Named("startup", command(locality, Ordinal.STARTUP, random.nextBoolean() ? CLEAR : STATE));
            default -> {
                int pcr = pcr(random);
                yield new Named("read " + pcr, command(locality, Ordinal.PCR_READ, u32(pcr)));
            }
        };
    }

    private static int pcr(Random random) {
        return FIRST_PCR + random.nextInt(LAST_PCR - FIRST_PCR + 1);
    }

    private static Step command(int locality, Ordinal ordinal, byte[] parameters) {
        byte[] command = Tpm12Client.frame(Tpm12Client.TAG_RQU_COMMAND, ordinal.code(), parameters);
        return part -> HexFormat.of().formatHex(part.execute(locality, command));
    }

    private static final class Ours implements Part {
        private final EngineTarget tpm =
                new EngineTarget(new Tpm12EngineFactory(JavaBigNumberProvider::new), new Exercised());

        Ours() throws IOException {
            tpm.powerOn(Map.of());
        }

        @Override
        public void powerCycle() throws IOException {
            tpm.powerOn(tpm.powerOff());
        }

        @Override
        public int signal(LaunchSignal signal, byte[] data) throws IOException {
            return tpm.signal(signal, data);
        }

        @Override
        public byte[] execute(int locality, byte[] command) throws IOException {
            tpm.locality(locality);
            return tpm.transmit(command);
        }

        @Override
        public void close() {
            tpm.close();
        }
    }

    private static final class Reference implements Part {
        private final Swtpm process;
        private final SocketTpm channel;
        private final SwtpmControl control;

        Reference(Path folder) throws IOException, InterruptedException {
            process = Swtpm.start(folder);
            channel = process.connect();
            control = process.control();
        }

        @Override
        public void powerCycle() throws IOException {
            control.init();
        }

        @Override
        public int signal(LaunchSignal signal, byte[] data) throws IOException {
            return switch (signal) {
                case HASH_START -> control.hashStart();
                case HASH_DATA -> control.hashData(data);
                case HASH_END -> control.hashEnd();
            };
        }

        @Override
        public byte[] execute(int locality, byte[] command) throws IOException {
            control.setLocality(locality);
            return channel.transmit(command);
        }

        @Override
        public void close() {
            control.close();
            channel.close();
            process.close();
        }
    }
}
