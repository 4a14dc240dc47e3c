package org.vtpm.storage.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** The host's file system, in which writing below one folder hangs until it is released. */
public final class HangingDisk implements Disk {
    private final PosixDisk disk;
    private final String folder;
    private final CountDownLatch hanging;
    private final CountDownLatch release;

    public HangingDisk(String folder, CountDownLatch hanging, CountDownLatch release) throws IOException {
        disk = new PosixDisk();
        this.folder = folder;
        this.hanging = hanging;
        this.release = release;
    }

    @Override
    public void makeFolders(Path path) throws IOException {
        disk.makeFolders(path);
    }

    @Override
    public void makeFolder(Path path) throws IOException {
        disk.makeFolder(path);
    }

    @Override
    public boolean exists(Path path) {
        return disk.exists(path);
    }

    @Override
    public List<String> list(Path path) throws IOException {
        return disk.list(path);
    }

    @Override
    public byte[] read(Path file, int limit) throws IOException {
        return disk.read(file, limit);
    }

    @Override
    public void write(Path file, byte[] content) throws IOException {
        if (file.toString().contains(folder)) {
            hanging.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
        disk.write(file, content);
    }

    @Override
    public AppendFile create(Path file) throws IOException {
        return disk.create(file);
    }

    @Override
    public AppendFile open(Path file, boolean writable) throws IOException {
        return disk.open(file, writable);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void syncFolder(Path path) throws IOException {
        disk.syncFolder(path);
    }

    @Override
    public void remove(Path path) throws IOException {
        disk.remove(path);
    }

    @Override
    public Closeable lock(Path file) throws IOException {
        return disk.lock(file);
    }
}
