package org.vtpm.listener.xen.host;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.listener.xen.ring.SharedPage;

/** {@code /dev/xen/gntdev} (Xen's {@code xen/sys/gntdev.h}). */
public final class GrantDevice implements GrantPages {
    private static final Logger LOG = LoggerFactory.getLogger(GrantDevice.class);

    private static final long MAP_GRANT_REF = 0x184700;
    private static final long UNMAP_GRANT_REF = 0x104701;

    private static final int INDEX = 8;

    private final Kernel kernel;
    private final int fd;

    public GrantDevice(Kernel kernel, Path device) throws IOException {
        this.kernel = kernel;
        fd = kernel.open(device);
    }

    @Override
    public Page map(int domain, int reference) throws IOException {
        String what = "Cannot map grant " + reference + " of domain " + domain;
        // count, padding, index (the answer), domain, reference
        ByteBuffer request = Kernel.structure(24)
                .putInt(1)
                .putInt(0)
                .putLong(0)
                .putInt(domain)
                .putInt(reference)
                .flip();
        kernel.ioctl(fd, MAP_GRANT_REF, request, what);
        long index = request.getLong(INDEX);
        long address;
        try {
            address = kernel.map(fd, index, SharedPage.SIZE, what);
        } catch (IOException e) {
            forget(index);
            throw e;
        }
        return new MappedPage(index, address);
    }

    private void forget(long index) {
        ByteBuffer request =
                Kernel.structure(16).putLong(index).putInt(1).putInt(0).flip();
        try {
            kernel.ioctl(fd, UNMAP_GRANT_REF, request, "Cannot give a grant back");
        } catch (IOException e) {
            LOG.warn("{}", e.getMessage());
        }
    }

    @Override
    public void close() {
        kernel.close(fd);
    }

    private final class MappedPage implements Page {
        private static final VarHandle HEADER =
                MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
        private static final int STATE = 4;

        private final long index;
        private final long address;
        private final ByteBuffer memory;
        private boolean closed;

        MappedPage(long index, long address) {
            this.index = index;
            this.address = address;
            memory = MemoryIO.getInstance().newDirectByteBuffer(address, SIZE).order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public long header() {
            return (long) HEADER.getAcquire(memory(), 0);
        }

        @Override
        public void read(int offset, byte[] into) {
            memory().get(offset, into);
        }

        @Override
        public void write(int offset, byte[] from) {
            memory().put(offset, from);
        }

        @Override
        public void length(int length) {
            memory().putInt(0, length);
        }

        @Override
        public void state(int state) {
            ByteBuffer page = memory();
            VarHandle.releaseFence();
            page.put(STATE, (byte) state);
            // Before the event that follows.
            VarHandle.fullFence();
        }

        /** Touching memory that is mapped no more would end the JVM. */
        private ByteBuffer memory() {
            if (closed) {
                throw new IllegalStateException("the page was given back");
            }
            return memory;
        }

        /** In this order: a grant that is still mapped cannot be given back. */
        @Override
        public void close() {
            if (closed) {
                return;
            }
            closed = true;
            try {
                kernel.unmap(address, SIZE);
            } catch (IOException e) {
                LOG.warn("{}", e.getMessage());
            }
            forget(index);
        }
    }
}
