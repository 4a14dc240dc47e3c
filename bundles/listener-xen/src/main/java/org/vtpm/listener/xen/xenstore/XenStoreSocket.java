package org.vtpm.listener.xen.xenstore;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The UNIX socket of a xenstored in the same domain, where only root gets in. */
public final class XenStoreSocket implements XenStoreChannel {
    private static final Logger LOG = LoggerFactory.getLogger(XenStoreSocket.class);

    private final SocketChannel channel;

    private XenStoreSocket(SocketChannel channel) {
        this.channel = channel;
    }

    public static XenStoreSocket connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            channel.close();
            throw new IOException("Cannot connect to xenstored at " + socket + ": " + e.getMessage(), e);
        }
        return new XenStoreSocket(channel);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return channel.read(into);
    }

    @Override
    public void write(ByteBuffer message) throws IOException {
        while (message.hasRemaining()) {
            channel.write(message);
        }
    }

    @Override
    public boolean closingEndsRead() {
        return true;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("Closing the socket of xenstored", e);
        }
    }
}
