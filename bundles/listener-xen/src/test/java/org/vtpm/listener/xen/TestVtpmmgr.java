package org.vtpm.listener.xen;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.StubdomCommands;

/** Keeps keys as vtpmmgr does, and remembers who asked, on which thread. */
final class TestVtpmmgr implements StubdomCommands {
    static final int SAVE = 1;
    static final int LOAD = 2;

    final Map<UUID, byte[]> keys = new ConcurrentHashMap<>();
    final List<Caller> callers = new CopyOnWriteArrayList<>();
    final List<String> threads = new CopyOnWriteArrayList<>();
    volatile boolean broken;
    /** Holds up the next command. */
    volatile @Nullable CountDownLatch gate;

    static byte[] command(int tag, int ordinal, byte... parameters) {
        return ByteBuffer.allocate(10 + parameters.length)
                .putShort((short) tag)
                .putInt(10 + parameters.length)
                .putInt(ordinal)
                .put(parameters)
                .array();
    }

    static byte[] save(int filling) {
        byte[] key = new byte[52];
        Arrays.fill(key, (byte) filling);
        return command(0x01C1, SAVE, key);
    }

    static byte[] load() {
        return command(0x01C1, LOAD);
    }

    @Override
    public byte[] execute(Caller caller, byte[] command) {
        callers.add(caller);
        threads.add(Thread.currentThread().getName());
        CountDownLatch held = gate;
        if (held != null) {
            gate = null;
            try {
                held.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        ByteBuffer in = ByteBuffer.wrap(command);
        int tag = in.getShort(0) + 3;
        if (broken) {
            return command(tag, 0x1F);
        }
        switch (in.getInt(6)) {
            case SAVE -> keys.put(caller.vtpm(), Arrays.copyOfRange(command, 10, command.length));
            case LOAD -> {
                byte[] key = keys.get(caller.vtpm());
                return key == null ? command(tag, 3) : command(tag, 0, key);
            }
            default -> {}
        }
        return command(tag, 0);
    }
}
