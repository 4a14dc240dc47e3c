package org.vtpm.storage.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.vtpm.storage.disk.AppendFile;

/** Reads a file mostly forward, in large pieces. What is appended after the first look at it is not seen. */
final class Window {
    private static final int PIECE = 1 << 20;

    private final AppendFile file;
    private final long size;
    private long start;
    private byte[] bytes = {};

    Window(AppendFile file) throws IOException {
        this.file = file;
        size = file.size();
    }

    Path path() {
        return file.path();
    }

    long size() {
        return size;
    }

    /** At most {@code length} bytes, fewer where the file ends. */
    byte[] upTo(long position, int length) throws IOException {
        int wanted = (int) Math.min(length, size - position);
        if (position < start || position + wanted > start + bytes.length) {
            bytes = file.read(position, (int) Math.min(Math.max(wanted, PIECE), size - position));
            start = position;
        }
        int from = (int) (position - start);
        return Arrays.copyOfRange(bytes, from, from + wanted);
    }

    /** Whether there are only zeros up to the end. */
    boolean isZeroFrom(long position) throws IOException {
        for (long at = position; at < size; at += PIECE) {
            byte[] piece = upTo(at, PIECE);
            if (!Block.isZero(piece, 0, piece.length)) {
                return false;
            }
        }
        return true;
    }
}
