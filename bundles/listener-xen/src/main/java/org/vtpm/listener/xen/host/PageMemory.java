package org.vtpm.listener.xen.host;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vtpm.listener.xen.ring.SharedPage;

/** A page as memory that somebody else writes too. */
final class PageMemory implements SharedPage {
    private static final VarHandle HEADER =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int STATE = 4;

    private final ByteBuffer memory;

    /** @param memory one page, aligned to eight bytes at least */
    PageMemory(ByteBuffer memory) {
        this.memory = memory.order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public long header() {
        return (long) HEADER.getAcquire(memory, 0);
    }

    @Override
    public void read(int offset, byte[] into) {
        memory.get(offset, into);
    }

    @Override
    public void write(int offset, byte[] from) {
        memory.put(offset, from);
    }

    @Override
    public void length(int length) {
        memory.putInt(0, length);
    }

    @Override
    public void state(int state) {
        VarHandle.releaseFence();
        memory.put(STATE, (byte) state);
        // Before the event that follows.
        VarHandle.fullFence();
    }
}
