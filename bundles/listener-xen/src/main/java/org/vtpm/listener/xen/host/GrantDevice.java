package org.vtpm.listener.xen.host;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.nio.ByteBuffer;
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
        private final long index;
        private final long address;
        private final PageMemory memory;
        private boolean closed;

        MappedPage(long index, long address) {
            this.index = index;
            this.address = address;
            memory = new PageMemory(MemoryIO.getInstance().newDirectByteBuffer(address, SIZE));
        }

        @Override
        public long header() {
            return memory().header();
        }

        @Override
        public void read(int offset, byte[] into) {
            memory().read(offset, into);
        }

        @Override
        public void write(int offset, byte[] from) {
            memory().write(offset, from);
        }

        @Override
        public void length(int length) {
            memory().length(length);
        }

        @Override
        public void state(int state) {
            memory().state(state);
        }

        /** Touching memory that is mapped no more would end the JVM. */
        private PageMemory memory() {
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
