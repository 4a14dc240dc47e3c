package org.vtpm.listener.xen.host;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code /dev/xen/evtchn} (Xen's {@code xen/sys/evtchn.h}). */
public final class EventDevice implements EventChannels {
    private static final Logger LOG = LoggerFactory.getLogger(EventDevice.class);

    private static final long BIND_INTERDOMAIN = 0x84501;
    private static final long UNBIND = 0x44503;
    private static final long NOTIFY = 0x44504;
    private static final long RESET = 0x4505;

    private static final int BATCH = 1024;

    private final Kernel kernel;
    private final int fd;
    private final int waker;
    private final Set<Integer> ports = ConcurrentHashMap.newKeySet();
    private final ByteBuffer delivered = Kernel.structure(BATCH * Integer.BYTES);
    private final ByteBuffer polled = Kernel.structure(16);
    private final ByteBuffer wakes = Kernel.structure(Long.BYTES);
    /** The number of a port, for orders; under its own lock. */
    private final ByteBuffer operand = Kernel.structure(Integer.BYTES);

    private boolean closed;

    public EventDevice(Kernel kernel, Path device) throws IOException {
        this.kernel = kernel;
        fd = kernel.open(device);
        try {
            waker = kernel.openEvent();
        } catch (IOException e) {
            kernel.close(fd);
            throw e;
        }
    }

    @Override
    public int bind(int domain, int remotePort) throws IOException {
        ByteBuffer request =
                Kernel.structure(8).putInt(domain).putInt(remotePort).flip();
        int port = kernel.ioctl(
                fd, BIND_INTERDOMAIN, request, "Cannot bind event channel " + remotePort + " of domain " + domain);
        ports.add(port);
        return port;
    }

    @Override
    public void unbind(int port) {
        ports.remove(port);
        order(UNBIND, port, "Cannot unbind event channel " + port);
    }

    @Override
    public void signal(int port) {
        order(NOTIFY, port, "Cannot send an event on event channel " + port);
    }

    private void order(long request, int port, String what) {
        try {
            synchronized (operand) {
                kernel.ioctl(fd, request, operand.clear().putInt(port).flip(), what);
            }
        } catch (IOException e) {
            // A guest that has died meanwhile.
            LOG.debug("{}", e.getMessage());
        }
    }

    @Override
    public void unmask(int port) {
        try {
            synchronized (operand) {
                kernel.write(fd, operand.clear().putInt(port).flip());
            }
        } catch (IOException e) {
            // A port that was unbound meanwhile.
            LOG.debug("Unmasking event channel {}", port, e);
        }
    }

    @Override
    public void await(int timeoutMillis, IntConsumer port) throws IOException {
        polled.clear();
        polled.putInt(fd).putShort(Kernel.POLLIN).putShort((short) 0);
        polled.putInt(waker).putShort(Kernel.POLLIN).putShort((short) 0);
        kernel.poll(polled.flip(), timeoutMillis);
        kernel.read(waker, wakes.clear());
        int count = kernel.read(fd, delivered.clear());
        if (count == -Kernel.EFBIG) {
            overflowed(port);
        } else if (count < 0 && count != -Kernel.EAGAIN) {
            throw new IOException("Cannot read event channels: errno " + -count);
        } else {
            for (int i = 0; i + Integer.BYTES <= count; i += Integer.BYTES) {
                port.accept(delivered.getInt(i));
            }
        }
    }

    /** More events than there is room for: some are lost, so everybody may have had one. */
    private void overflowed(IntConsumer port) throws IOException {
        kernel.ioctl(fd, RESET, Kernel.structure(4), "Cannot reset the event channels");
        ports.forEach(port::accept);
    }

    @Override
    public synchronized void wake() {
        if (!closed) {
            try {
                kernel.write(waker, Kernel.structure(Long.BYTES).putLong(1).flip());
            } catch (IOException e) {
                LOG.error("The thread for events cannot be woken: {}", e.getMessage());
            }
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            kernel.close(fd);
            kernel.close(waker);
        }
    }
}
