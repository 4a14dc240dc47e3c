package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread that waits for all FIFOs. It never waits for anything else, so no guest can hold up another. */
final class FifoServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FifoServer.class);

    private static final int NONE = -1;

    private final Posix posix;
    private final Waker waker;
    private final List<Port> ports = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(Frame.MAX);
    private final Thread thread;
    private volatile boolean closing;

    /** What a port is made of. */
    record Wiring(Port.Plan plan, FrameHandler handler) {}

    FifoServer(Posix posix, PrivateFolder folder, Duration frameTimeout, List<Wiring> wirings) throws IOException {
        this.posix = posix;
        waker = new Waker(posix);
        try {
            for (Wiring wiring : wirings) {
                ports.add(new Port(posix, folder, wiring.plan(), wiring.handler(), frameTimeout, waker::wake));
            }
        } catch (IOException e) {
            ports.forEach(Port::close);
            waker.close();
            throw e;
        }
        thread = new Thread(this::run, "vtpm-listener-legacy");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        closing = true;
        waker.wake();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            serve();
        } catch (IOException e) {
            LOG.error("The legacy listener has stopped: restart its bundle to serve its guests again", e);
        } finally {
            ports.forEach(Port::close);
            waker.close();
        }
    }

    private void serve() throws IOException {
        ByteBuffer fds = ByteBuffer.allocateDirect(Posix.POLLFD_SIZE * (1 + 2 * ports.size()))
                .order(ByteOrder.nativeOrder());
        while (!closing) {
            int timeout = NONE;
            fds.clear();
            put(fds, waker.fd(), true, Posix.POLLIN);
            for (Port port : ports) {
                put(fds, port.input(), port.wantsReadable(), Posix.POLLIN);
                put(fds, port.output().fd(), port.output().wantsWritable(), Posix.POLLOUT);
                timeout = sooner(timeout, port.patience());
            }
            posix.poll(fds.flip(), timeout);
            if (found(fds, 0)) {
                waker.clear();
            }
            for (int i = 0; i < ports.size(); i++) {
                serve(ports.get(i), found(fds, 1 + 2 * i), found(fds, 2 + 2 * i));
            }
        }
    }

    /** A fault in the code for one frame must not end the thread that serves all. */
    private void serve(Port port, boolean readable, boolean writable) throws IOException {
        try {
            if (writable) {
                port.output().writable();
            }
            port.proceed(buffer);
            if (readable) {
                port.readable(buffer);
            } else {
                port.expire(buffer);
            }
        } catch (RuntimeException e) {
            LOG.error("Unexpected fault while serving a FIFO", e);
        }
    }

    private static int sooner(int a, int b) {
        return a == NONE ? b : b == NONE ? a : Math.min(a, b);
    }

    /** Appends a {@code struct pollfd}; poll ignores negative descriptors. */
    private static void put(ByteBuffer fds, int fd, boolean wanted, short events) {
        fds.putInt(wanted ? fd : NONE).putShort(events).putShort((short) 0);
    }

    private static boolean found(ByteBuffer fds, int index) {
        return fds.getShort(index * Posix.POLLFD_SIZE + 6) != 0;
    }
}
