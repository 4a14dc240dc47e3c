package org.vtpm.storage.disk;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that fails or loses power where a test wants it. It keeps what programs see apart from what lasts: a
 * file's content lasts once it was synced, a name once its folder was. After a loss of power each change that was not
 * synced may have reached the disk or not, whatever the order they were made in: that is all that POSIX promises, and
 * harsher than any one file system. Of a file that stays open that goes for each sector, and its length may be any that it
 * had or grew through. When syncing it fails, what was to be synced is forgotten, and the next sync says nothing of it.
 */
public final class SimulatedDisk implements Disk {
    private static final int SECTOR = 512;

    /** How the disk behaves once it has come to the step it fails at. */
    public enum Fault {
        NONE,
        /** That one step fails; all others work. */
        ONCE,
        /** From then on nothing can be changed any more. */
        LASTING
    }

    private static final class Node {
        private final boolean folder;
        private byte[] content = {};
        private boolean contentLasts = true;
        // Of a file that stays open: what the disk has of it, and the sectors that differ or may do so.
        private byte[] lasting = {};
        private final BitSet dirty = new BitSet();
        private final BitSet dropped = new BitSet();
        private final Map<String, Node> names = new TreeMap<>();
        private final Map<String, Node> lastingNames = new TreeMap<>();
        private final List<Change> pending = new ArrayList<>();

        private Node(boolean folder) {
            this.folder = folder;
        }

        private boolean isCertain() {
            return contentLasts && dirty.isEmpty() && dropped.isEmpty();
        }

        private void change(Change change) {
            change.apply(names);
            pending.add(change);
        }
    }

    @FunctionalInterface
    private interface Change {
        void apply(Map<String, Node> names);
    }

    private final Node root;
    private Fault fault = Fault.NONE;
    private int stepsLeft;
    private int stepsTaken;
    private final AtomicReference<@Nullable Gate> gate = new AtomicReference<>();
    private boolean syncFails;
    private boolean locked;
    private long capacity = Long.MAX_VALUE / 2;

    public SimulatedDisk() {
        this(new Node(true));
    }

    private SimulatedDisk(Node root) {
        this.root = root;
    }

    /** Lets {@code steps} more steps succeed before the fault. */
    public synchronized void failAfter(int steps, Fault kind) {
        stepsLeft = steps;
        fault = kind;
    }

    /** A place where one sync waits before it begins. */
    public static final class Gate {
        private final CountDownLatch arrived = new CountDownLatch(1);
        private final CountDownLatch opened = new CountDownLatch(1);

        /** Waits until a sync is there. */
        public void awaitArrival() throws InterruptedException {
            arrived.await();
        }

        /** Lets it go on. */
        public void open() {
            opened.countDown();
        }

        private void pass() throws IOException {
            arrived.countDown();
            try {
                opened.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    /** Holds the next sync of a file; the disk does everything else meanwhile. */
    public Gate holdNextSync() {
        Gate next = new Gate();
        gate.set(next);
        return next;
    }

    /** Lets the next sync of a file fail. */
    public synchronized void failNextSync() {
        syncFails = true;
    }

    public synchronized void repair() {
        fault = Fault.NONE;
        syncFails = false;
    }

    public synchronized int stepsTaken() {
        return stepsTaken;
    }

    /** From now on there is room for so many bytes in all files together. */
    public synchronized void limitTo(long bytes) {
        capacity = bytes;
    }

    /** Bytes in all files together. */
    public synchronized long used() {
        return used(root);
    }

    /** Reads from the disk again what a failed sync did not write, as a kernel does that needs the memory. */
    public synchronized void evict() {
        evict(root);
    }

    /** The disk as other programs see it now: as a process leaves it that is killed. */
    public synchronized SimulatedDisk copy() {
        return new SimulatedDisk(copy(root));
    }

    private static Node copy(Node node) {
        Node copy = new Node(node.folder);
        copy.content = node.content.clone();
        copy.lasting = copy.content;
        node.names.forEach((name, child) -> {
            Node survivor = copy(child);
            copy.names.put(name, survivor);
            copy.lastingNames.put(name, survivor);
        });
        return copy;
    }

    /** All disks that a loss of power at this moment can leave behind; some of them, if there are very many. */
    public synchronized List<SimulatedDisk> afterPowerLoss() {
        List<SimulatedDisk> disks = new ArrayList<>();
        Choices choices = new Choices();
        do {
            disks.add(new SimulatedDisk(surviving(root, choices)));
            if (disks.size() > 1 << 16) {
                throw new IllegalStateException("too many changes are not synced");
            }
        } while (choices.next());
        return disks;
    }

    /** Counts through all combinations of choices, as they come up. */
    private static final class Choices {
        private final List<int[]> digits = new ArrayList<>();
        private int asked;

        private int of(int options) {
            if (asked == digits.size()) {
                digits.add(new int[] {0, options});
            }
            return digits.get(asked++)[0];
        }

        private boolean next() {
            asked = 0;
            while (!digits.isEmpty()) {
                int[] last = digits.get(digits.size() - 1);
                if (++last[0] < last[1]) {
                    return true;
                }
                digits.remove(digits.size() - 1);
            }
            return false;
        }
    }

    private static Node surviving(Node node, Choices choices) {
        Node copy = new Node(node.folder);
        if (!node.contentLasts) {
            copy.content = choices.of(2) == 0 ? new byte[0] : node.content;
        } else if (!node.isCertain()) {
            List<byte[]> variants = variants(node);
            copy.content = variants.get(choices.of(variants.size()));
        } else {
            copy.content = node.content;
        }
        copy.lasting = copy.content;
        Map<String, Node> names = new TreeMap<>(node.lastingNames);
        node.pending.forEach(change -> {
            if (choices.of(2) == 1) {
                change.apply(names);
            }
        });
        names.forEach((name, child) -> {
            Node survivor = surviving(child, choices);
            copy.names.put(name, survivor);
            copy.lastingNames.put(name, survivor);
        });
        return copy;
    }

    /** What may be left of a file that stayed open. */
    private static List<byte[]> variants(Node node) {
        BitSet uncertain = (BitSet) node.dirty.clone();
        uncertain.or(node.dropped);
        int[] sectors = uncertain.stream()
                .filter(sector -> !Arrays.equals(sector(node.content, sector), sector(node.lasting, sector)))
                .toArray();
        Map<ByteBuffer, byte[]> variants = new LinkedHashMap<>();
        for (int length : new int[] {node.lasting.length, node.content.length}) {
            for (BitSet chosen : subsets(sectors.length)) {
                byte[] variant = Arrays.copyOf(node.lasting, length);
                chosen.stream().forEach(i -> copySector(node.content, variant, sectors[i]));
                variants.put(ByteBuffer.wrap(variant), variant);
            }
        }
        // It grew through all lengths between.
        int lastWritten = sectors.length == 0 ? 0 : (sectors[sectors.length - 1] + 1) * SECTOR;
        int end = Math.min(node.content.length, lastWritten);
        for (int length = node.lasting.length; length < end; length += length % SECTOR == 0 ? 7 : SECTOR - 7) {
            byte[] variant = Arrays.copyOf(node.content, length);
            variants.put(ByteBuffer.wrap(variant), variant);
        }
        return List.copyOf(variants.values());
    }

    /** All subsets; of large sets the empty one, the whole, all that have or lack one, all beginnings, and some others. */
    private static Set<BitSet> subsets(int size) {
        Set<BitSet> subsets = new LinkedHashSet<>();
        if (size <= 5) {
            for (long bits = 0; bits < 1L << size; bits++) {
                subsets.add(BitSet.valueOf(new long[] {bits}));
            }
            return subsets;
        }
        Random random = new Random(size);
        for (int i = 0; i <= size; i++) {
            BitSet beginning = new BitSet();
            beginning.set(0, i);
            subsets.add(beginning);
            BitSet one = new BitSet();
            one.set(Math.min(i, size - 1));
            subsets.add(one);
            BitSet allButOne = (BitSet) one.clone();
            allButOne.flip(0, size);
            subsets.add(allButOne);
            subsets.add(random.ints(size / 2, 0, size).collect(BitSet::new, BitSet::set, BitSet::or));
        }
        return subsets;
    }

    private static byte[] sector(byte[] content, int sector) {
        int from = Math.min(content.length, sector * SECTOR);
        return Arrays.copyOfRange(content, from, from + SECTOR);
    }

    private static void copySector(byte[] from, byte[] to, int sector) {
        int start = sector * SECTOR;
        int end = Math.min(to.length, start + SECTOR);
        for (int i = start; i < end; i++) {
            to[i] = i < from.length ? from[i] : 0;
        }
    }

    private static void evict(Node node) {
        node.dropped.stream().forEach(sector -> copySector(node.lasting, node.content, sector));
        node.names.values().forEach(SimulatedDisk::evict);
    }

    private static long used(Node node) {
        return node.content.length
                + node.names.values().stream().mapToLong(SimulatedDisk::used).sum();
    }

    @Override
    public synchronized void makeFolders(Path folder) throws IOException {
        if (!exists(folder)) {
            Path parent = folder.getParent();
            makeFolders(parent);
            makeFolder(folder);
            syncFolder(parent);
        }
    }

    @Override
    public synchronized void makeFolder(Path folder) throws IOException {
        step();
        add(folder, new Node(true));
    }

    @Override
    public synchronized boolean exists(Path path) {
        try {
            find(path);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public synchronized List<String> list(Path folder) throws IOException {
        return List.copyOf(find(folder).names.keySet());
    }

    @Override
    public synchronized byte[] read(Path file, int limit) throws IOException {
        byte[] content = find(file).content;
        if (content.length > limit) {
            throw new IOException(file + " is too long");
        }
        return content.clone();
    }

    @Override
    public synchronized void write(Path file, byte[] content) throws IOException {
        step();
        Node node = new Node(false);
        node.contentLasts = false;
        add(file, node);
        step();
        node.content = Arrays.copyOf(content, content.length / 2);
        step();
        node.content = content.clone();
        step();
        node.contentLasts = true;
    }

    @Override
    public synchronized AppendFile create(Path file) throws IOException {
        step();
        Node node = new Node(false);
        add(file, node);
        return new OpenFile(file, node, true);
    }

    @Override
    public synchronized AppendFile open(Path file, boolean writable) throws IOException {
        return new OpenFile(file, find(file), writable);
    }

    private final class OpenFile implements AppendFile {
        private final Node node;
        private final boolean writable;
        private Path path;
        private boolean closed;

        private OpenFile(Path path, Node node, boolean writable) {
            this.path = path;
            this.node = node;
            this.writable = writable;
        }

        @Override
        public Path path() {
            return path;
        }

        @Override
        public long size() throws IOException {
            synchronized (SimulatedDisk.this) {
                return node.content.length;
            }
        }

        @Override
        public byte[] read(long position, int length) throws IOException {
            synchronized (SimulatedDisk.this) {
                checkOpen();
                if (position + length > node.content.length) {
                    throw new EOFException(path.toString());
                }
                return Arrays.copyOfRange(node.content, (int) position, (int) position + length);
            }
        }

        @Override
        public void write(long position, byte[] bytes) throws IOException {
            synchronized (SimulatedDisk.this) {
                change();
                int room = (int)
                        Math.max(0, Math.min(bytes.length, capacity - used(root) + node.content.length - position));
                put(position, Arrays.copyOf(bytes, Math.min(room, part(position, bytes.length))));
                change();
                put(position, Arrays.copyOf(bytes, room));
                if (room < bytes.length) {
                    throw new IOException(path + ": No space left on device");
                }
            }
        }

        /** How much is written when writing stops in the midst: anything where the file grows, else whole sectors. */
        private int part(long position, int length) {
            int end = (int) position + length * 2 / 3;
            return Math.max(0, (end < node.content.length ? end / SECTOR * SECTOR : end) - (int) position);
        }

        private void put(long position, byte[] bytes) {
            int end = (int) position + bytes.length;
            node.content = Arrays.copyOf(node.content, Math.max(node.content.length, end));
            System.arraycopy(bytes, 0, node.content, (int) position, bytes.length);
            if (bytes.length > 0) {
                node.dirty.set((int) position / SECTOR, (end + SECTOR - 1) / SECTOR);
            }
        }

        @Override
        public void truncate(long size) throws IOException {
            synchronized (SimulatedDisk.this) {
                change();
                if (size < node.content.length) {
                    node.dirty.set((int) size / SECTOR, (node.content.length + SECTOR - 1) / SECTOR);
                    node.content = Arrays.copyOf(node.content, (int) size);
                }
            }
        }

        @Override
        public void sync() throws IOException {
            Gate held = gate.getAndSet(null);
            if (held != null) {
                held.pass();
            }
            synchronized (SimulatedDisk.this) {
                try {
                    change();
                    if (syncFails) {
                        syncFails = false;
                        throw new IOException("the disk fails");
                    }
                } catch (IOException e) {
                    node.dropped.or(node.dirty);
                    node.dirty.clear();
                    throw e;
                }
                byte[] lasting = Arrays.copyOf(node.lasting, node.content.length);
                node.dirty.stream().forEach(sector -> copySector(node.content, lasting, sector));
                node.lasting = lasting;
                node.dropped.andNot(node.dirty);
                node.dirty.clear();
            }
        }

        @Override
        public void rename(Path to) throws IOException {
            SimulatedDisk.this.rename(path, to);
            path = to;
        }

        @Override
        public void close() {
            closed = true;
        }

        private void change() throws IOException {
            checkOpen();
            if (!writable) {
                throw new IOException(path + " is open for reading only");
            }
            step();
        }

        private void checkOpen() throws IOException {
            if (closed) {
                throw new IOException(path + " is closed");
            }
        }
    }

    @Override
    public synchronized void rename(Path from, Path to) throws IOException {
        step();
        Node node = find(from);
        Node folder = find(from.getParent());
        String oldName = from.getFileName().toString();
        String newName = to.getFileName().toString();
        if (!from.getParent().equals(to.getParent()) || (node.folder && folder.names.containsKey(newName))) {
            throw new IOException("rename " + from + " to " + to);
        }
        folder.change(names -> {
            names.remove(oldName, node);
            names.put(newName, node);
        });
    }

    @Override
    public synchronized void syncFolder(Path path) throws IOException {
        step();
        Node folder = find(path);
        folder.pending.clear();
        folder.lastingNames.clear();
        folder.lastingNames.putAll(folder.names);
    }

    @Override
    public synchronized void remove(Path path) throws IOException {
        step();
        if (!find(path).names.isEmpty()) {
            throw new IOException(path + " is not empty");
        }
        String name = path.getFileName().toString();
        find(path.getParent()).change(names -> names.remove(name));
    }

    @Override
    public Closeable lock(Path file) throws IOException {
        if (locked) {
            throw new IOException(file + " is locked");
        }
        locked = true;
        return () -> locked = false;
    }

    private void add(Path path, Node node) throws IOException {
        if (exists(path)) {
            throw new FileAlreadyExistsException(path.toString());
        }
        String name = path.getFileName().toString();
        find(path.getParent()).change(names -> names.put(name, node));
    }

    private Node find(Path path) throws IOException {
        Node node = root;
        for (Path name : path) {
            node = node.names.get(name.toString());
            if (node == null) {
                throw new NoSuchFileException(path.toString());
            }
        }
        return node;
    }

    private void step() throws IOException {
        stepsTaken++;
        if (fault != Fault.NONE) {
            if (stepsLeft > 0) {
                stepsLeft--;
                return;
            }
            if (fault == Fault.ONCE) {
                fault = Fault.NONE;
            }
            throw new IOException("the disk fails");
        }
    }
}
