package org.vtpm.storage.journal;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;
import org.vtpm.storage.disk.AppendFile;

/**
 * One file of a journal with the index of what it holds. One thread at a time writes; others may read contents meanwhile.
 */
final class Generation implements Closeable {
    private final AppendFile file;
    private final long number;
    private final int preallocate;
    private final byte[] hostKeyId;
    private final byte[] chainKey;
    private final Index index;

    private byte[] tag;
    private long sequence;
    private volatile long position;
    // Up to here the file holds blocks or zeros.
    private long allocated;
    // Whether anything but zeros may be behind the last block.
    private boolean torn;
    private boolean trusted = true;

    private Generation(AppendFile file, long number, JournalKey key, int preallocate, Index index, byte[] tag) {
        this.file = file;
        this.number = number;
        this.preallocate = preallocate;
        this.index = index;
        this.tag = tag;
        hostKeyId = key.hostKeyId().clone();
        chainKey = key.chainKey().clone();
    }

    /** Starts an empty file with its header. */
    static Generation start(AppendFile file, long number, JournalKey key, int preallocate) throws IOException {
        FileHeader header = FileHeader.of(key.hostKeyId(), key.chainKey(), number);
        file.write(0, header.encode());
        Generation generation = new Generation(file, number, key, preallocate, new Index(), header.tag());
        generation.position = FileHeader.LENGTH;
        generation.allocated = FileHeader.LENGTH;
        return generation;
    }

    /**
     * Goes on with a file that was read, and makes sure that what was read lasts: of the last block it is not known
     * whether the kernel ever wrote it, or failed to and forgot.
     */
    static Generation resume(AppendFile file, long number, JournalKey key, int preallocate, Scan scan)
            throws IOException {
        Generation generation = new Generation(file, number, key, preallocate, scan.index(), scan.tag());
        generation.sequence = scan.sequence();
        generation.position = scan.position();
        generation.allocated = file.size();
        generation.torn = scan.isTorn();
        file.write(scan.lastBlock(), file.read(scan.lastBlock(), (int) (scan.position() - scan.lastBlock())));
        file.sync();
        return generation;
    }

    AppendFile file() {
        return file;
    }

    long number() {
        return number;
    }

    Index index() {
        return index;
    }

    /** Bytes up to the end of the last block. */
    long position() {
        return position;
    }

    /** Whether blocks can be added: not after a failed sync, for the kernel may have forgotten what it could not write. */
    boolean isTrusted() {
        return trusted;
    }

    /** The key that this was made under; its arrays are this generation's. */
    JournalKey key() {
        return new JournalKey(hostKeyId, chainKey);
    }

    /** Changes that will be one block. They do not count before {@link #apply}. */
    final class Draft {
        private final List<BlockEntry> entries = new ArrayList<>();
        private final Staging staging = new Staging(index::get);
        private int length;

        /**
         * Adds changes.
         *
         * @param checked whether versions must follow each other
         * @throws IllegalArgumentException if they do not; then none is added
         */
        void add(List<BlockEntry> changes, boolean checked) {
            Staging attempt = new Staging(staging::get);
            int end = length;
            for (BlockEntry change : changes) {
                attempt.apply(change, position + Block.HEADER + end + change.head().length, checked);
                end = Math.addExact(end, change.length());
            }
            if (end > Block.BODY_LIMIT) {
                throw new IllegalArgumentException("changes of " + end + " bytes are too many for one commit");
            }
            staging.addAll(attempt);
            entries.addAll(changes);
            length = end;
        }

        int length() {
            return length;
        }

        /** Makes the changes durable. If this fails, a loss of power may still leave all of them there, never a part. */
        void write() throws IOException {
            Generation.this.write(entries, length);
        }

        /** Puts the changes into the index. */
        void apply() {
            staging.forEach(index::set);
        }
    }

    private void write(List<BlockEntry> entries, int length) throws IOException {
        cutTornEnd();
        Block.Header header = Block.Header.of(sequence + 1, length);
        byte[] next = Block.tag(chainKey, tag, header, entries);
        byte[] block = Block.encode(header, entries, next);
        long end = position + block.length;
        torn = true;
        try {
            file.write(position, block);
            preallocate(end);
            sync();
        } catch (IOException e) {
            takeBack(e);
            throw e;
        }
        torn = false;
        tag = next;
        sequence++;
        position = end;
    }

    private void preallocate(long end) {
        if (end > allocated && preallocate > 0) {
            try {
                file.write(end, new byte[preallocate]);
                allocated = end + preallocate;
            } catch (IOException e) {
                // Of no account: zeros of any number may follow. If the disk is not just full, the sync fails too.
                allocated = end;
            }
        }
    }

    /** What was reported as failed is not there after a restart either, if the disk lets. */
    private void takeBack(IOException failure) {
        try {
            cutTornEnd();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** Removes what a commit left that failed. Durably, so that never a part of it can show up in another block. */
    private void cutTornEnd() throws IOException {
        if (torn) {
            file.truncate(position);
            sync();
            torn = false;
            allocated = position;
        }
    }

    private void sync() throws IOException {
        try {
            file.sync();
        } catch (IOException e) {
            trusted = false;
            throw e;
        }
    }

    /** An item's content, checked. */
    byte[] read(StoredItem item, ItemKey key) throws IOException {
        byte[] content = file.read(item.offset, item.length);
        if (!Arrays.equals(Sha256.of(content), item.digest())) {
            throw new JournalException(List.of(new Finding(
                    Finding.Kind.DAMAGED,
                    file.path(),
                    item.offset,
                    "the content of " + key + " was changed since it was written or checked",
                    Set.of(key.owner()))));
        }
        return content;
    }

    @Override
    public void close() throws IOException {
        Secrets.zero(chainKey);
        file.close();
    }
}
