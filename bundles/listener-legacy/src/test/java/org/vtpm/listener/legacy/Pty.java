package org.vtpm.listener.legacy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import jnr.ffi.LibraryLoader;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/**
 * The kernel's side of a character device: the master of a pseudo terminal in raw mode, whose slave stands in for {@code
 * /dev/vtpm}. Unlike the kernel's it is a stream: it notices neither a read that asks for too much nor an answer in pieces.
 */
final class Pty implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int O_RDWR = 02;
    private static final int O_NOCTTY = 0400;
    private static final int O_NONBLOCK = 04000;
    private static final int TCSANOW = 0;
    private static final int TERMIOS_BYTES = 256;

    /** What the JDK does not offer of terminals. */
    public interface Terminals {
        /** Opens a new master. */
        int posix_openpt(int flags);

        /** Makes the slave ours. */
        int grantpt(int fd);

        /** Lets the slave be opened. */
        int unlockpt(int fd);

        /** Path of the slave. */
        String ptsname(int fd);

        /** open(2). */
        int open(String path, int flags);

        /** close(2). */
        int close(int fd);

        /** Gets settings. */
        int tcgetattr(int fd, ByteBuffer termios);

        /** Changes settings to those of a raw line. */
        void cfmakeraw(ByteBuffer termios);

        /** Sets settings. */
        int tcsetattr(int fd, int actions, ByteBuffer termios);

        /** read(2). */
        @ssize_t
        long read(int fd, ByteBuffer buffer, @size_t long count);

        /** write(2). */
        @ssize_t
        long write(int fd, ByteBuffer buffer, @size_t long count);
    }

    private static final Terminals TERMINALS =
            LibraryLoader.create(Terminals.class).load("libc.so.6");

    private final int master;
    // The settings last as long as somebody has the slave open.
    private final int slave;
    private final String path;

    Pty() throws IOException {
        master = TERMINALS.posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (master < 0 || TERMINALS.grantpt(master) != 0 || TERMINALS.unlockpt(master) != 0) {
            throw new IOException("there are no pseudo terminals");
        }
        path = TERMINALS.ptsname(master);
        slave = TERMINALS.open(path, O_RDWR | O_NOCTTY);
        ByteBuffer termios = ByteBuffer.allocateDirect(TERMIOS_BYTES);
        if (TERMINALS.tcgetattr(slave, termios) != 0) {
            throw new IOException("the terminal has no settings");
        }
        TERMINALS.cfmakeraw(termios);
        if (TERMINALS.tcsetattr(slave, TCSANOW, termios) != 0) {
            throw new IOException("the terminal cannot be made raw");
        }
    }

    /** Makes the device appear under a name. */
    void linkTo(Path name) throws IOException {
        Files.deleteIfExists(name);
        Files.createSymbolicLink(name, Path.of(path));
    }

    void write(byte[] bytes) throws IOException {
        ByteBuffer out = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (out.hasRemaining()) {
            long count = TERMINALS.write(master, out, out.remaining());
            if (count > 0) {
                out.position(out.position() + (int) count);
            } else if (System.nanoTime() - end > 0) {
                throw new IOException("nobody reads " + path);
            } else {
                Thread.onSpinWait();
            }
        }
    }

    FifoPeer.Answer ask(byte[] frame) throws IOException {
        write(frame);
        return read();
    }

    FifoPeer.Answer read() throws IOException {
        ByteBuffer header = ByteBuffer.wrap(read(Frame.MIN));
        long instance = Integer.toUnsignedLong(header.getInt());
        int tag = header.getShort();
        int size = header.getInt();
        return new FifoPeer.Answer(instance, tag, header.getInt(), read(size - Frame.HEADER));
    }

    private byte[] read(int count) throws IOException {
        ByteBuffer in = ByteBuffer.allocateDirect(count);
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (in.hasRemaining()) {
            long got = TERMINALS.read(master, in, in.remaining());
            if (got > 0) {
                in.position(in.position() + (int) got);
            } else if (System.nanoTime() - end > 0) {
                throw new IOException(in.position() + " of " + count + " bytes came");
            } else {
                Thread.onSpinWait();
            }
        }
        byte[] bytes = new byte[count];
        in.flip().get(bytes);
        return bytes;
    }

    /** The driver is unloaded. */
    @Override
    public void close() {
        TERMINALS.close(master);
        TERMINALS.close(slave);
    }
}
