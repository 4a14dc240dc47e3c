package org.vtpm.listener.xen.xenstore;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's own connection to XenStore, {@code /dev/xen/xenbus}: works also where xenstored lives in a domain of its own.
 *
 * <p>Each open of the device is a connection, so reads and writes need one descriptor, and at the same time. Of the JDK's
 * files only this one allows that: a channel's write waits for its read.
 */
public final class XenbusDevice implements XenStoreChannel {
    private static final Logger LOG = LoggerFactory.getLogger(XenbusDevice.class);

    private final RandomAccessFile file;

    private XenbusDevice(RandomAccessFile file) {
        this.file = file;
    }

    public static XenbusDevice open(Path device) throws IOException {
        // The JDK would make a file where there is none.
        if (!Files.exists(device) || Files.isRegularFile(device)) {
            throw new IOException("There is no device " + device);
        }
        try {
            return new XenbusDevice(new RandomAccessFile(device.toFile(), "rw"));
        } catch (IOException e) {
            throw new IOException("Cannot open " + device + ": " + e.getMessage(), e);
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        int count = file.read(into.array(), into.arrayOffset() + into.position(), into.remaining());
        if (count > 0) {
            into.position(into.position() + count);
        }
        return count;
    }

    @Override
    public void write(ByteBuffer message) throws IOException {
        file.write(message.array(), message.arrayOffset() + message.position(), message.remaining());
    }

    @Override
    public boolean closingEndsRead() {
        return false;
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            LOG.debug("Closing the device of XenStore", e);
        }
    }
}
