package org.vtpm.itests.process;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/**
 * A guest that sends garbage to an endpoint, connection after connection. What is a whole command must be answered,
 * whatever it says and however it comes; a size that no command can have must be answered with TPM_BAD_PARAM_SIZE.
 */
final class SocketAttack implements Peer {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int BAD_PARAM_SIZE = 0x19;
    private static final int CROWD = 20;
    private static final int STALLED = 4;

    private final SocketAddress address;
    private final Random random;
    private final Garbage garbage;
    private final Deque<SocketChannel> stalled = new ArrayDeque<>();

    SocketAttack(SocketAddress address, long seed) {
        this.address = address;
        this.random = new Random(seed);
        this.garbage = new Garbage(random, Garbage.tpmCommands());
    }

    @Override
    public void round() throws InterruptedException {
        switch (random.nextInt(32)) {
            case 0 -> unanswered(this::crowd);
            case 1 -> unanswered(this::stall);
            case 2, 3, 4, 5 -> answered(garbage.command(), true);
            case 6, 7, 8, 9 -> unanswered(() -> sendAndLeave(garbage.noise()));
            case 10, 11, 12, 13 -> unanswered(() -> sendAndLeave(garbage.half()));
            case 14, 15, 16, 17 -> unanswered(this::neverRead);
            case 18, 19, 20, 21 -> refused(garbage.wrongSize());
            default -> answered(garbage.mutated(), false);
        }
    }

    @Override
    public void close() throws IOException {
        for (SocketChannel channel : stalled) {
            channel.close();
        }
        stalled.clear();
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    /** The listener may hang up at any time on what follows. */
    private static void unanswered(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            // As it should: that it serves others all the same is what the answered commands show.
        }
    }

    private void sendAndLeave(byte[] bytes) throws IOException {
        try (SocketChannel channel = SocketChannel.open(address)) {
            write(channel, bytes);
        }
    }

    /** Commands in a row whose answers nobody reads. */
    private void neverRead() throws IOException {
        try (SocketChannel channel = SocketChannel.open(address)) {
            for (int commands = random.nextInt(20); commands >= 0; commands--) {
                write(channel, garbage.command());
            }
            reset(channel);
        }
    }

    private void crowd() throws IOException {
        List<SocketChannel> channels = new ArrayList<>();
        try {
            for (int i = 0; i < CROWD; i++) {
                channels.add(SocketChannel.open(address));
            }
        } finally {
            for (SocketChannel channel : channels) {
                if (random.nextBoolean()) {
                    reset(channel);
                }
                channel.close();
            }
        }
    }

    /** Begins a command and stays. */
    private void stall() throws IOException {
        SocketChannel channel = SocketChannel.open(address);
        stalled.add(channel);
        if (stalled.size() > STALLED) {
            stalled.remove().close();
        }
        write(channel, garbage.half());
    }

    private void answered(byte[] command, boolean bytewise) throws InterruptedException {
        // More than once, because the listener may still count those who have just left.
        Wait.until("an answer to a command of " + command.length + " bytes on " + address, PATIENCE, () -> {
            try (SocketChannel channel = SocketChannel.open(address)) {
                if (bytewise) {
                    for (byte each : command) {
                        write(channel, new byte[] {each});
                    }
                } else {
                    write(channel, command);
                }
                readAnswer(channel);
            }
            return true;
        });
    }

    private void refused(byte[] command) throws InterruptedException {
        Wait.until("TPM_BAD_PARAM_SIZE and the end of the connection on " + address, PATIENCE, () -> {
            try (SocketChannel channel = SocketChannel.open(address)) {
                write(channel, command);
                return readAnswer(channel) == BAD_PARAM_SIZE && channel.read(ByteBuffer.allocate(1)) < 0;
            }
        });
    }

    private static void write(SocketChannel channel, byte[] bytes) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(bytes);
        while (out.hasRemaining()) {
            channel.write(out);
        }
    }

    /** A whole response; gives its return code. */
    private static int readAnswer(SocketChannel channel) throws IOException {
        ByteBuffer header = read(channel, Garbage.HEADER);
        int tag = header.getShort();
        int size = header.getInt();
        if (tag < 0xC4 || tag > 0xC6 || size < Garbage.HEADER || size > 4096) {
            throw new AssertionError("no response has tag " + tag + " and size " + size);
        }
        read(channel, size - Garbage.HEADER);
        return header.getInt();
    }

    private static ByteBuffer read(SocketChannel channel, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("hung up after " + buffer.position() + " of " + count + " bytes");
            }
        }
        return buffer.flip();
    }

    /** Lets the coming close break the connection off instead of ending it in order. */
    private void reset(SocketChannel channel) throws IOException {
        if (address instanceof InetSocketAddress) {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        }
    }
}
