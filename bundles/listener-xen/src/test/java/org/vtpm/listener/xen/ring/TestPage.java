package org.vtpm.listener.xen.ring;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A shared page in memory, with the guest's view of it. */
public final class TestPage implements SharedPage {
    private final ByteBuffer bytes = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);

    /** What the guest does as soon as the header was read. */
    public Runnable afterHeader = () -> {};

    private int headerReads;
    private int packetReads;

    @Override
    public synchronized long header() {
        headerReads++;
        long header = bytes.getLong(0);
        afterHeader.run();
        return header;
    }

    @Override
    public synchronized void read(int offset, byte[] into) {
        packetReads++;
        bytes.get(offset, into);
    }

    @Override
    public synchronized void write(int offset, byte[] from) {
        bytes.put(offset, from);
    }

    @Override
    public synchronized void length(int length) {
        bytes.putInt(0, length);
    }

    @Override
    public synchronized void state(int state) {
        bytes.put(4, (byte) state);
        notifyAll();
    }

    // The guest's side.

    public synchronized void submit(int locality, byte[] packet) {
        bytes.put(8, packet);
        header(packet.length, TpmRing.SUBMIT, locality, 0);
    }

    /** Sets the header's fields to anything at all. */
    public synchronized void header(int length, int state, int locality, int extraPages) {
        bytes.putInt(0, length)
                .put(5, (byte) locality)
                .put(6, (byte) 0)
                .put(7, (byte) extraPages)
                .put(4, (byte) state);
    }

    public synchronized void fill(byte[] page) {
        bytes.put(0, page);
    }

    public synchronized byte[] copy() {
        byte[] copy = new byte[SIZE];
        bytes.get(0, copy);
        return copy;
    }

    public synchronized int state() {
        return Byte.toUnsignedInt(bytes.get(4));
    }

    /** Waits for a state; answers whether it came. */
    public synchronized boolean await(int state, long millis) throws InterruptedException {
        long deadline = System.nanoTime() + millis * 1_000_000;
        while (state() != state) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }

    /** The packet that is there, if the header tells the truth. */
    public synchronized byte[] packet() {
        int offset = 8 + 4 * Byte.toUnsignedInt(bytes.get(7));
        byte[] packet = new byte[bytes.getInt(0)];
        bytes.get(offset, packet);
        return packet;
    }

    public synchronized int headerReads() {
        return headerReads;
    }

    public synchronized int packetReads() {
        return packetReads;
    }
}
