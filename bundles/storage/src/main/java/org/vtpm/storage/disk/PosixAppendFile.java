package org.vtpm.storage.disk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A file of the host's file system. It is an asynchronous channel, though nothing here is asynchronous, because Java closes
 * a synchronous one under all its users when one of their threads is interrupted. Its tasks run in the calling thread.
 */
final class PosixAppendFile implements AppendFile {
    private static final Set<OpenOption> READ = Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    private static final Set<OpenOption> READ_WRITE =
            Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);

    // Java keeps a buffer outside the heap per thread, of the greatest length that the thread ever passed.
    private static final int PIECE = 128 * 1024;

    private final AsynchronousFileChannel channel;
    private volatile Path path;

    PosixAppendFile(Path file, boolean writable) throws IOException {
        path = file;
        channel = AsynchronousFileChannel.open(file, writable ? READ_WRITE : READ, new CallingThread());
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public long size() throws IOException {
        try {
            return channel.size();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public byte[] read(long position, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.position() < length) {
            bytes.limit(Math.min(length, bytes.position() + PIECE));
            if (done(channel.read(bytes, position + bytes.position())) < 0) {
                throw new EOFException(
                        path + " ends at " + (position + bytes.position()) + ", before " + (position + length));
            }
        }
        return bytes.array();
    }

    @Override
    public void write(long position, byte[] content) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(content);
        while (bytes.position() < content.length) {
            bytes.limit(Math.min(content.length, bytes.position() + PIECE));
            done(channel.write(bytes, position + bytes.position()));
        }
    }

    @Override
    public void truncate(long size) throws IOException {
        try {
            channel.truncate(size);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void sync() throws IOException {
        try {
            channel.force(false);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void rename(Path to) throws IOException {
        Files.move(path, to, StandardCopyOption.ATOMIC_MOVE);
        path = to;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** The result of what the calling thread has just done. */
    private int done(Future<Integer> result) throws IOException {
        try {
            return result.get();
        } catch (ExecutionException e) {
            throw failed(e.getCause() == null ? e : e.getCause());
        } catch (InterruptedException e) {
            throw new IllegalStateException("a result that is there was waited for", e);
        }
    }

    private IOException failed(Throwable cause) {
        return new IOException(path + ": " + (cause.getMessage() == null ? cause : cause.getMessage()), cause);
    }

    /** Runs each task at once. */
    private static final class CallingThread extends AbstractExecutorService {
        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return false;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return false;
        }
    }
}
