package org.vtpm.listener.legacy;

import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import org.vtpm.api.fake.FakeManager;

/** Xen's side of one pair of FIFOs: the kernel's backend or the hotplug scripts, with plain blocking files. */
final class FifoPeer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** An answer: whose it is and what it says. */
    record Answer(long instance, int tag, int code, byte[] body) {
        int sum() {
            return ByteBuffer.wrap(body).getInt();
        }

        int starts() {
            return ByteBuffer.wrap(body).getInt(4);
        }
    }

    private final FileOutputStream out;
    private final DataInputStream in;

    FifoPeer(Path folder, Port.Plan plan) throws IOException {
        out = new FileOutputStream(folder.resolve(plan.input()).toFile());
        in = new DataInputStream(
                new FileInputStream(folder.resolve(plan.output()).toFile()));
    }

    /** A command that adds {@code values} up. */
    static byte[] add(int... values) {
        return command(FakeManager.STORE, values);
    }

    static byte[] command(int ordinal, int... values) {
        int size = 10 + values.length;
        ByteBuffer command =
                ByteBuffer.allocate(size).putShort((short) 0xC1).putInt(size).putInt(ordinal);
        for (int value : values) {
            command.put((byte) value);
        }
        return command.array();
    }

    static byte[] frame(int instance, byte[] command) {
        return ByteBuffer.allocate(4 + command.length)
                .putInt(instance)
                .put(command)
                .array();
    }

    /** A vTPM command to the console. */
    static byte[] order(int ordinal, int... parameters) {
        byte[] command = command(ordinal, parameters);
        ByteBuffer.wrap(command).putShort((short) 0x01C1);
        return frame(0, command);
    }

    static byte[] open(int instance) {
        return order(0x01000001, 1, 1, 1, 0, 0, instance >> 8, instance);
    }

    static byte[] close(int instance) {
        return order(0x01000002, 0, 0, instance >> 8, instance);
    }

    static byte[] delete(int instance) {
        return order(0x01000003, 0, 0, instance >> 8, instance);
    }

    void write(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    void write(byte[] bytes, int from, int to) throws IOException {
        out.write(bytes, from, to - from);
    }

    Answer read() throws IOException {
        ByteBuffer header = ByteBuffer.wrap(read(14));
        long instance = Integer.toUnsignedLong(header.getInt());
        int tag = header.getShort();
        int size = header.getInt();
        return new Answer(instance, tag, header.getInt(), read(size - 10));
    }

    Answer ask(byte[] frame) throws IOException {
        write(frame);
        return read();
    }

    int available() throws IOException {
        return in.available();
    }

    byte[] read(int count) throws IOException {
        // A blocked read could not be interrupted, and a test that waits for good says nothing.
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (in.available() < count && System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
        if (in.available() < count) {
            throw new IOException(in.available() + " of " + count + " bytes came");
        }
        byte[] bytes = new byte[count];
        in.readFully(bytes);
        return bytes;
    }

    @Override
    public void close() throws IOException {
        out.close();
        in.close();
    }
}
