package org.vtpm.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A disk in memory that fails or loses power where a test wants it. It keeps what programs see apart from what lasts: a
 * file's content lasts once it was synced, a name once its folder was. After a loss of power each change that was not
 * synced may have reached the disk or not, whatever the order they were made in: that is all that POSIX promises, and
 * harsher than any one file system.
 */
final class SimulatedDisk implements Disk {
    /** How the disk behaves once it has come to the step it fails at. */
    enum Fault {
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
        private final Map<String, Node> names = new TreeMap<>();
        private final Map<String, Node> lastingNames = new TreeMap<>();
        private final List<Change> pending = new ArrayList<>();

        private Node(boolean folder) {
            this.folder = folder;
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
    private boolean locked;

    SimulatedDisk() {
        this(new Node(true));
    }

    private SimulatedDisk(Node root) {
        this.root = root;
    }

    /** Lets {@code steps} more steps succeed before the fault. */
    void failAfter(int steps, Fault kind) {
        stepsLeft = steps;
        fault = kind;
    }

    void repair() {
        fault = Fault.NONE;
    }

    int stepsTaken() {
        return stepsTaken;
    }

    /** All disks that a loss of power at this moment can leave behind. */
    List<SimulatedDisk> afterPowerLoss() {
        int uncertain = uncertain(root);
        if (uncertain > 16) {
            throw new IllegalStateException("too many changes are not synced: " + uncertain);
        }
        List<SimulatedDisk> disks = new ArrayList<>();
        for (int chosen = 0; chosen < 1 << uncertain; chosen++) {
            int[] choices = {chosen};
            disks.add(new SimulatedDisk(surviving(root, choices)));
        }
        return disks;
    }

    private static int uncertain(Node node) {
        int count = node.pending.size() + (node.contentLasts ? 0 : 1);
        List<Node> reachable = new ArrayList<>(node.lastingNames.values());
        node.names.values().stream().filter(child -> !reachable.contains(child)).forEach(reachable::add);
        return count + reachable.stream().mapToInt(SimulatedDisk::uncertain).sum();
    }

    private static Node surviving(Node node, int[] choices) {
        Node copy = new Node(node.folder);
        copy.content = node.contentLasts || chosen(choices) ? node.content : new byte[0];
        Map<String, Node> names = new TreeMap<>(node.lastingNames);
        node.pending.forEach(change -> {
            if (chosen(choices)) {
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

    private static boolean chosen(int[] choices) {
        boolean chosen = (choices[0] & 1) != 0;
        choices[0] >>= 1;
        return chosen;
    }

    @Override
    public void makeFolders(Path folder) throws IOException {
        if (!exists(folder)) {
            Path parent = folder.getParent();
            makeFolders(parent);
            makeFolder(folder);
            syncFolder(parent);
        }
    }

    @Override
    public void makeFolder(Path folder) throws IOException {
        step();
        add(folder, new Node(true));
    }

    @Override
    public boolean exists(Path path) {
        try {
            find(path);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public List<String> list(Path folder) throws IOException {
        return List.copyOf(find(folder).names.keySet());
    }

    @Override
    public byte[] read(Path file, int limit) throws IOException {
        byte[] content = find(file).content;
        if (content.length > limit) {
            throw new IOException(file + " is too long");
        }
        return content.clone();
    }

    @Override
    public void write(Path file, byte[] content) throws IOException {
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
    public void rename(Path from, Path to) throws IOException {
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
    public void syncFolder(Path path) throws IOException {
        step();
        Node folder = find(path);
        folder.pending.clear();
        folder.lastingNames.clear();
        folder.lastingNames.putAll(folder.names);
    }

    @Override
    public void remove(Path path) throws IOException {
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
