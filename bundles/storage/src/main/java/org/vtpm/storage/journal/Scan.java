package org.vtpm.storage.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.CodecException;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;

/**
 * Reads a file from its start to its end and checks all that can be checked; without a key, all but the tags. Goes on
 * behind damage, to tell of all of it. Changes nothing.
 */
final class Scan {
    private final Window window;
    private final @Nullable JournalKey key;
    private final List<Finding> findings = new ArrayList<>();
    private final Index index = new Index();

    private byte[] tag = {};
    private long sequence;
    private long position;
    private long lastBlock;
    private boolean whole;
    private boolean torn;

    private Scan(Window window, @Nullable JournalKey key) {
        this.window = window;
        this.key = key;
    }

    /**
     * Reads a file.
     *
     * @param number that it must have
     * @param key null to leave the tags unchecked
     */
    static Scan of(Window window, long number, @Nullable JournalKey key) throws IOException {
        Scan scan = new Scan(window, key);
        if (scan.header(number)) {
            scan.blocks();
        }
        return scan;
    }

    List<Finding> findings() {
        return List.copyOf(findings);
    }

    /** Whether there is nothing but what a loss of power leaves. */
    boolean isSound() {
        return findings.stream().allMatch(finding -> finding.kind() == Finding.Kind.TORN);
    }

    Index index() {
        return index;
    }

    /** The last block's tag. */
    byte[] tag() {
        return tag;
    }

    /** The last block's number, and so how many there are. */
    long sequence() {
        return sequence;
    }

    /** Where the last block ends. */
    long position() {
        return position;
    }

    /** Where the last block begins. */
    long lastBlock() {
        return lastBlock;
    }

    /** Whether a part of a block follows the last one. */
    boolean isTorn() {
        return torn;
    }

    private boolean header(long number) throws IOException {
        byte[] start = window.upTo(0, FileHeader.LENGTH);
        FileHeader header;
        try {
            header = FileHeader.decode(start);
        } catch (IOException e) {
            damaged(0, String.valueOf(e.getMessage()));
            return false;
        }
        if (header.number() != number) {
            forged(0, "it is the file of number " + header.number());
            return false;
        }
        if (key != null && !Arrays.equals(header.hostKeyId(), key.hostKeyId())) {
            forged(0, "it was made under another host key");
            return false;
        }
        if (key != null && !Secrets.equal(header.tag(), header.tag(key.chainKey()))) {
            forged(0, "its start was changed: its authentication fails");
            return false;
        }
        tag = header.tag();
        position = FileHeader.LENGTH;
        return true;
    }

    private void blocks() throws IOException {
        while (position < window.size() && !torn) {
            byte[] sector = window.upTo(position, Block.SECTOR);
            Optional<Block.Header> header = Block.header(sector);
            if (header.isPresent()) {
                block(header.get());
            } else if (window.isZeroFrom(position)) {
                break;
            } else {
                noHeader(sector);
            }
        }
        if (!whole && isSound()) {
            damaged(position, "it ends before it holds what the file before it held");
        }
    }

    /** There are bytes where a block must begin, and none does. */
    private void noHeader(byte[] sector) throws IOException {
        long next = nextHeader(position + Block.SECTOR);
        boolean unwritten = Block.isZero(sector, 0, sector.length) || Block.beginsLikeHeader(sector);
        if (unwritten && next == window.size() && whole) {
            torn("the start of the last block is missing");
        } else {
            damaged(position, "the start of a block is damaged");
            position = next;
        }
    }

    /** Where the next block begins that follows those read; the end of the file if there is none. */
    private long nextHeader(long from) throws IOException {
        for (long at = from; at < window.size(); at += Block.SECTOR) {
            Optional<Block.Header> header = Block.header(window.upTo(at, Block.SECTOR));
            if (header.isPresent() && header.get().sequence() > sequence) {
                return at;
            }
        }
        return window.size();
    }

    private void block(Block.Header header) throws IOException {
        long end = position + header.blockLength();
        if (header.sequence() != sequence + 1) {
            // After damage it is not known how many are missing.
            if (isSound()) {
                forged(position, "block " + header.sequence() + " stands where block " + (sequence + 1) + " must be");
            }
            sequence = header.sequence() - 1;
        }
        if (end > window.size()) {
            if (whole) {
                torn("the file ends inside of the last block");
            } else {
                damaged(position, "the file ends inside of a block");
                position = window.size();
            }
            return;
        }
        byte[] block = window.upTo(position, header.blockLength());
        Optional<Block.Flaw> flaw = Block.flaw(header, block);
        if (flaw.isPresent() && flaw.get().unwritten() && whole && window.isZeroFrom(end)) {
            torn(flaw.get().what());
            return;
        }
        if (flaw.isPresent()) {
            findings.add(new Finding(
                    Finding.Kind.DAMAGED,
                    window.path(),
                    position + flaw.get().offset(),
                    flaw.get().what() + " (block " + header.sequence() + ")",
                    owners(header, block, flaw.get().offset())));
        } else {
            entries(header, block);
        }
        tag = Block.tag(block);
        sequence = header.sequence();
        lastBlock = position;
        position = end;
    }

    private void entries(Block.Header header, byte[] block) throws IOException {
        List<BlockEntry> entries;
        try {
            entries = BlockEntry.readAll(Block.body(header, block));
        } catch (CodecException e) {
            forged(position, "block " + header.sequence() + " holds what is no entry: " + e.getMessage());
            return;
        }
        if (key != null
                && !Secrets.equal(Block.tag(block), Block.tag(key.chainKey(), tag, header, entries))
                && isSound()) {
            findings.add(new Finding(
                    Finding.Kind.FORGED,
                    window.path(),
                    position,
                    "block " + header.sequence() + " was changed, or belongs elsewhere: its authentication fails",
                    owners(entries)));
        }
        Staging staging = new Staging(index::get);
        long at = position + Block.HEADER;
        try {
            for (BlockEntry entry : entries) {
                at += entry.head().length;
                checkAnchor(entry);
                staging.apply(entry, at, whole && isSound());
                at += entry.content().length;
                whole |= entry.entry() instanceof Entry.Whole;
            }
        } catch (IllegalArgumentException e) {
            forged(position, "block " + header.sequence() + " holds a change that does not follow: " + e.getMessage());
        }
        staging.forEach(index::set);
    }

    /** An anchor begins with the root of the tree over all before it; in a file's first part it comes from elsewhere. */
    private void checkAnchor(BlockEntry entry) {
        if (whole
                && isSound()
                && entry.entry() instanceof Entry.Put put
                && put.kind() == ItemKey.ANCHOR_KIND
                && (put.length() < Sha256.LENGTH
                        || !Arrays.equals(Arrays.copyOf(entry.content(), Sha256.LENGTH), index.root()))) {
            throw new IllegalArgumentException("the anchor tells of other items than those that are there");
        }
    }

    /**
     * Whose items a damaged block holds: those that lie in the damaged sector, as far as they can be read, or behind it if
     * they cannot; all if the damage is elsewhere.
     */
    private static Set<UUID> owners(Block.Header header, byte[] block, int flaw) {
        Set<UUID> all = new HashSet<>();
        Set<UUID> there = new HashSet<>();
        ByteReader in = Block.body(header, block);
        int sector = flaw / Block.SECTOR * Block.SECTOR;
        try {
            while (in.remaining() > 0) {
                int start = in.position();
                Entry entry = BlockEntry.read(in).entry();
                if (entry instanceof Entry.Whole) {
                    continue;
                }
                all.add(entry.owner());
                if (start < sector + Block.SECTOR && in.position() > sector) {
                    there.add(entry.owner());
                }
            }
        } catch (CodecException e) {
            return there.isEmpty() ? all : there;
        }
        return there.isEmpty() ? all : there;
    }

    private static Set<UUID> owners(List<BlockEntry> entries) {
        return entries.stream()
                .map(BlockEntry::entry)
                .filter(entry -> !(entry instanceof Entry.Whole))
                .map(Entry::owner)
                .collect(Collectors.toSet());
    }

    private void torn(String what) {
        torn = true;
        findings.add(new Finding(
                Finding.Kind.TORN,
                window.path(),
                position,
                what + ": it was never acknowledged, or the file was cut off",
                Set.of()));
    }

    private void damaged(long offset, String what) {
        findings.add(new Finding(Finding.Kind.DAMAGED, window.path(), offset, what, Set.of()));
    }

    private void forged(long offset, String what) {
        findings.add(new Finding(Finding.Kind.FORGED, window.path(), offset, what, Set.of()));
    }
}
