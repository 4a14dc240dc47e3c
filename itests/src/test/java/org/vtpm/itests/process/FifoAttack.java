package org.vtpm.itests.process;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A peer that sends garbage to one pair of the legacy listener's FIFOs, where every frame has four bytes of instance
 * number before its header. What comes out must always be whole frames; a right frame that comes after a pause, or after
 * a refusal, must be answered.
 */
final class FifoAttack implements Peer {
    /** VTPM_TAG_REQ. */
    private static final int ORDER = 0x01C1;

    private static final int OPEN = 0x01000001;
    private static final int CLOSE = 0x01000002;
    private static final int DELETE = 0x01000003;

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int LARGEST = 4096;
    private static final int PREFIX = 4;
    private static final int ROUNDS_BETWEEN_PROBES = 100;
    private static final int PAUSE_MILLIS = 100;

    /** How long a probe is waited for: it may have been thrown away with the garbage before it. */
    private static final Duration ANSWER = Duration.ofSeconds(2);

    /** How long nothing may come until all is said. */
    private static final Duration QUIET = Duration.ofSeconds(1);

    /** Instance numbers from here on are nobody's. */
    private static final int FIRST_PROBE = 0x7000_0000;

    private final Path input;
    private final FileChannel in;
    private final FileChannel out;
    private final CompletableFuture<Void> reading;
    private final Random random;
    private final Garbage garbage;
    private final int instance;
    private final byte[] rightFrame;
    private final List<Integer> answerTags;
    private int rounds;
    private volatile int probe = FIRST_PROBE;
    private volatile int answered;
    private volatile long heard = System.nanoTime();

    private FifoAttack(
            Path input, Path output, long seed, int instance, List<byte[]> commands, byte[] right, List<Integer> tags)
            throws IOException {
        this.input = input;
        this.random = new Random(seed);
        this.garbage = new Garbage(random, commands);
        this.instance = instance;
        this.rightFrame = right;
        this.answerTags = tags;
        this.out = FileChannel.open(input, StandardOpenOption.WRITE);
        this.in = FileChannel.open(output, StandardOpenOption.READ);
        this.reading = CompletableFuture.runAsync(this::readFrames, task -> new Thread(task, "answers").start());
    }

    /** Garbage in the place of guests' commands, for one guest and for guests that there are not. */
    static FifoAttack onBackend(Path fifos, long seed, int instance) throws IOException {
        List<byte[]> commands = Garbage.tpmCommands();
        return new FifoAttack(
                fifos.resolve("dummy_in.fifo"),
                fifos.resolve("dummy_out.fifo"),
                seed,
                instance,
                commands,
                commands.get(0),
                List.of(0xC4, 0xC5, 0xC6));
    }

    /** Garbage in the place of hotplug orders, about one guest and about guests that there are not. */
    static FifoAttack onConsole(Path fifos, long seed, int instance) throws IOException {
        byte[] open = order(OPEN, concat(u8(1), u8(1), u8(1), u32(instance)));
        // Most orders damage one that is wrong already: an OPEN that happens to be right costs an RSA key.
        byte[] wrongOpen = order(OPEN, concat(u8(9), u8(9), u8(9), u32(instance)));
        byte[] close = order(CLOSE, u32(instance));
        return new FifoAttack(
                fifos.resolve("from_console.fifo"),
                fifos.resolve("to_console.fifo"),
                seed,
                0,
                List.of(open, wrongOpen, wrongOpen, wrongOpen, close, order(DELETE, u32(instance + 1))),
                close,
                List.of(ORDER));
    }

    /** A frame for the console, without the number before it. */
    static byte[] order(int ordinal, byte[] parameters) {
        return concat(u16(ORDER), u32(Garbage.HEADER + parameters.length), u32(ordinal), parameters);
    }

    @Override
    public void round() throws Exception {
        if (++rounds % ROUNDS_BETWEEN_PROBES == 0) {
            probe();
        }
        switch (random.nextInt(16)) {
            case 0 -> comeAndGo();
            case 1, 2 -> write(garbage.noise());
            case 3, 4 -> write(garbage.half());
            case 5, 6 -> bytewise(concat(number(), garbage.command()));
            case 7, 8, 9 -> write(concat(number(), garbage.wrongSize()));
            default -> write(concat(number(), garbage.mutated()));
        }
    }

    /** Fails unless a right frame is answered. */
    void probe() throws Exception {
        Wait.until("a right frame on " + input + " is answered", PATIENCE, () -> {
            if (reading.isDone()) {
                reading.join();
            }
            // Ends whatever frame is under way: the next bytes begin a new one after the listener threw these away.
            byte[] endless = new byte[2 * LARGEST];
            Arrays.fill(endless, (byte) 0xFF);
            write(endless);
            Thread.sleep(PAUSE_MILLIS);
            int next = probe + 1;
            probe = next;
            write(concat(u32(next), rightFrame));
            long deadline = System.nanoTime() + ANSWER.toNanos();
            while (answered != next && System.nanoTime() < deadline) {
                Thread.sleep(1);
            }
            return answered == next;
        });
    }

    /** Takes all that the listener still has to say: it would reach whoever opens the pipe next. */
    private void drain() throws IOException {
        try {
            probe();
            while (System.nanoTime() - heard < QUIET.toNanos()) {
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (Exception e) {
            throw new IOException("the last answers on the pair of " + input, e);
        }
    }

    @Override
    public void close() throws IOException {
        if (!reading.isDone()) {
            drain();
        }
        out.close();
        in.close();
        try {
            reading.join();
        } catch (CompletionException e) {
            throw new AssertionError("what came out of the pair of " + input, e.getCause());
        }
    }

    private byte[] number() {
        return u32(random.nextInt(4) == 0 ? random.nextInt() : instance);
    }

    private void bytewise(byte[] frame) throws IOException {
        for (byte each : frame) {
            write(new byte[] {each});
        }
    }

    /** A second writer that begins something and goes. */
    private void comeAndGo() throws IOException {
        try (FileChannel second = FileChannel.open(input, StandardOpenOption.WRITE)) {
            if (random.nextBoolean()) {
                second.write(ByteBuffer.wrap(garbage.half()));
            }
        }
    }

    private void write(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            out.write(buffer);
        }
    }

    private void readFrames() {
        try {
            while (true) {
                ByteBuffer header = read(PREFIX + Garbage.HEADER);
                int number = header.getInt();
                int tag = Short.toUnsignedInt(header.getShort());
                int size = header.getInt();
                if (!answerTags.contains(tag) || size < Garbage.HEADER || size > LARGEST) {
                    throw new AssertionError("no answer has tag " + tag + " and size " + size);
                }
                read(size - Garbage.HEADER);
                heard = System.nanoTime();
                if (number == probe) {
                    answered = number;
                }
            }
        } catch (AsynchronousCloseException e) {
            // This side is closed.
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private ByteBuffer read(int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            if (in.read(buffer) < 0) {
                throw new EOFException("the listener is gone");
            }
        }
        return buffer.flip();
    }
}
