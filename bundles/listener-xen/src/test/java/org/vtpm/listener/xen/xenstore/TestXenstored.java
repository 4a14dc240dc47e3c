package org.vtpm.listener.xen.xenstore;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * A xenstored for tests, as Xen's {@code docs/misc/xenstore.txt} tells: nodes, watches, transactions that fail with EAGAIN
 * if somebody else changed what they saw, lists in parts. It knows one user, who may do everything.
 */
public final class TestXenstored implements AutoCloseable {
    private record Node(String value, long generation) {}

    private record Watch(Connection owner, String path, String token) {}

    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String error) {
            super(error);
        }
    }

    private static final class Transaction {
        final SortedMap<String, Node> nodes;
        /** Generation of each node that was looked at; 0 if it was not there. */
        final Map<String, Long> seen = new HashMap<>();

        final Set<String> changed = new HashSet<>();

        Transaction(SortedMap<String, Node> nodes) {
            this.nodes = new TreeMap<>(nodes);
        }
    }

    private final Path socket;
    private final ServerSocketChannel server;
    private final SortedMap<String, Node> nodes = new TreeMap<>();
    private final List<Watch> watches = new ArrayList<>();
    private final Set<Integer> domains = new HashSet<>(Set.of(0));
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private final AtomicInteger requests = new AtomicInteger();
    private long generation;

    /** Changes answers before they are sent, for tests of what a client does then. */
    volatile UnaryOperator<ByteBuffer> tamper = UnaryOperator.identity();

    /** What else happens just before a transaction ends. */
    volatile Runnable beforeCommit = () -> {};

    public TestXenstored(Path socket) throws IOException {
        this.socket = socket;
        nodes.put("/", new Node("", ++generation));
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        start(this::accept, "test-xenstored");
    }

    public Path socket() {
        return socket;
    }

    /** Requests taken so far. */
    public int requests() {
        return requests.get();
    }

    // What the toolstack and guests do.

    public synchronized void write(String path, String value) {
        put(nodes, path, value).forEach(this::fire);
    }

    /** Several nodes at once: path, value, path, value, ... */
    public synchronized void writeAll(String... pathsAndValues) {
        List<String> changed = new ArrayList<>();
        for (int i = 0; i < pathsAndValues.length; i += 2) {
            changed.addAll(put(nodes, pathsAndValues[i], pathsAndValues[i + 1]));
        }
        changed.forEach(this::fire);
    }

    public synchronized String read(String path) {
        Node node = nodes.get(path);
        return node == null ? null : node.value();
    }

    public synchronized void remove(String path) {
        cut(nodes, path).forEach(this::fire);
    }

    public synchronized void introduce(int domain) {
        domains.add(domain);
        fire("@introduceDomain");
    }

    public synchronized void release(int domain) {
        domains.remove(domain);
        fire("@releaseDomain");
    }

    /** Hangs up on all clients. */
    public void dropAll() {
        connections.forEach(Connection::close);
    }

    public synchronized int watchCount() {
        return watches.size();
    }

    @Override
    public void close() throws IOException {
        server.close();
        dropAll();
    }

    private static void start(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Connection connection = new Connection(server.accept());
                connections.add(connection);
                start(connection::serve, "test-xenstored-client");
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private List<String> put(SortedMap<String, Node> tree, String path, String value) {
        List<String> changed = new ArrayList<>();
        for (String parent = parent(path); !tree.containsKey(parent); parent = parent(parent)) {
            tree.put(parent, new Node("", ++generation));
        }
        if (!tree.containsKey(path)) {
            tree.put(parent(path), new Node(tree.get(parent(path)).value(), ++generation));
        }
        tree.put(path, new Node(value, ++generation));
        changed.add(path);
        return changed;
    }

    private List<String> cut(SortedMap<String, Node> tree, String path) {
        if (tree.remove(path) == null) {
            return List.of();
        }
        tree.keySet().removeIf(other -> other.startsWith(path + "/"));
        Node parent = tree.get(parent(path));
        if (parent != null) {
            tree.put(parent(path), new Node(parent.value(), ++generation));
        }
        return List.of(path);
    }

    private static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash <= 0 ? "/" : path.substring(0, slash);
    }

    private static List<String> children(SortedMap<String, Node> tree, String path) {
        String prefix = path.equals("/") ? "/" : path + "/";
        return tree.keySet().stream()
                .filter(other -> other.startsWith(prefix) && other.length() > prefix.length())
                .map(other -> other.substring(prefix.length()))
                .filter(name -> name.indexOf('/') < 0)
                .toList();
    }

    /** Tells who watches the node or one above it; and one beneath it, because that may have gone with it. */
    private void fire(String path) {
        for (Watch watch : List.copyOf(watches)) {
            boolean above = path.equals(watch.path()) || path.startsWith(watch.path() + "/");
            boolean beneath = watch.path().startsWith(path + "/") && !nodes.containsKey(path);
            if (above || beneath) {
                watch.owner().event(above ? path : watch.path(), watch.token());
            }
        }
    }

    private final class Connection {
        private final SocketChannel channel;
        private final Map<Integer, Transaction> transactions = new HashMap<>();
        private int lastTransaction;

        Connection(SocketChannel channel) {
            this.channel = channel;
        }

        void serve() {
            try {
                while (true) {
                    Message.Header header = Message.header(receive(Message.HEADER_SIZE));
                    byte[] payload = receive(header.length()).array();
                    requests.incrementAndGet();
                    answer(new Message(header.type(), header.request(), header.transaction(), payload));
                }
            } catch (IOException e) {
                close();
            }
        }

        private ByteBuffer receive(int size) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(size);
            while (buffer.hasRemaining()) {
                if (channel.read(buffer) < 0) {
                    throw new IOException("the client has left");
                }
            }
            return buffer.flip();
        }

        private void answer(Message request) throws IOException {
            List<Runnable> after = new ArrayList<>();
            synchronized (TestXenstored.this) {
                int type = request.type();
                byte[] payload;
                try {
                    payload = carryOut(request, after).getBytes(StandardCharsets.UTF_8);
                } catch (Refused e) {
                    type = Message.ERROR;
                    payload = (e.getMessage() + "\0").getBytes(StandardCharsets.UTF_8);
                }
                send(new Message(type, request.request(), request.transaction(), payload));
                after.forEach(Runnable::run);
            }
        }

        private String carryOut(Message request, List<Runnable> after) throws Refused {
            String text = new String(request.payload(), StandardCharsets.UTF_8);
            List<String> strings = request.strings();
            Transaction transaction = null;
            if (request.transaction() != 0) {
                transaction = transactions.get(request.transaction());
                if (transaction == null) {
                    throw new Refused("ENOENT");
                }
            }
            SortedMap<String, Node> tree = transaction == null ? nodes : transaction.nodes;
            switch (request.type()) {
                case Message.READ -> {
                    see(transaction, path(strings));
                    return node(tree, path(strings)).value();
                }
                case Message.DIRECTORY -> {
                    see(transaction, path(strings));
                    node(tree, path(strings));
                    String list = list(tree, path(strings));
                    if (list.length() > Message.MAX_PAYLOAD) {
                        throw new Refused("E2BIG");
                    }
                    return list;
                }
                case Message.DIRECTORY_PART -> {
                    see(transaction, path(strings));
                    Node node = node(tree, path(strings));
                    String list = list(tree, path(strings));
                    String part = list.substring(Integer.parseInt(strings.get(1)));
                    String start = node.generation() + "\0";
                    int room = Message.MAX_PAYLOAD - start.length() - 1;
                    if (part.length() <= room) {
                        return start + part + "\0";
                    }
                    return start + part.substring(0, part.lastIndexOf('\0', room - 1) + 1);
                }
                case Message.WRITE -> {
                    int end = text.indexOf('\0');
                    String path = path(strings);
                    changed(transaction, put(tree, path, text.substring(end + 1)), after);
                    return "OK\0";
                }
                case Message.RM -> {
                    String path = path(strings);
                    if (!tree.containsKey(parent(path))) {
                        throw new Refused("ENOENT");
                    }
                    changed(transaction, cut(tree, path), after);
                    return "OK\0";
                }
                case Message.WATCH -> {
                    String path = strings.get(0).startsWith("@") ? strings.get(0) : path(strings);
                    Watch watch = new Watch(this, path, strings.get(1));
                    if (watches.contains(watch)) {
                        throw new Refused("EEXIST");
                    }
                    watches.add(watch);
                    after.add(() -> event(path, watch.token()));
                    return "OK\0";
                }
                case Message.UNWATCH -> {
                    if (!watches.remove(new Watch(this, strings.get(0), strings.get(1)))) {
                        throw new Refused("ENOENT");
                    }
                    return "OK\0";
                }
                case Message.TRANSACTION_START -> {
                    transactions.put(++lastTransaction, new Transaction(nodes));
                    return lastTransaction + "\0";
                }
                case Message.TRANSACTION_END -> {
                    if (transaction == null) {
                        throw new Refused("EINVAL");
                    }
                    transactions.remove(request.transaction());
                    if (strings.get(0).equals("T")) {
                        commit(transaction, after);
                    }
                    return "OK\0";
                }
                case Message.IS_DOMAIN_INTRODUCED -> {
                    return (domains.contains(Integer.parseInt(strings.get(0))) ? "T" : "F") + "\0";
                }
                default -> throw new Refused("ENOSYS");
            }
        }

        private void see(Transaction transaction, String path) {
            if (transaction != null && !transaction.changed.contains(path)) {
                Node node = transaction.nodes.get(path);
                transaction.seen.putIfAbsent(path, node == null ? 0 : node.generation());
            }
        }

        private void changed(Transaction transaction, List<String> paths, List<Runnable> after) {
            if (transaction == null) {
                paths.forEach(path -> after.add(() -> fire(path)));
            } else {
                transaction.changed.addAll(paths);
            }
        }

        private void commit(Transaction transaction, List<Runnable> after) throws Refused {
            beforeCommit.run();
            for (Map.Entry<String, Long> seen : transaction.seen.entrySet()) {
                Node now = nodes.get(seen.getKey());
                if ((now == null ? 0 : now.generation()) != seen.getValue()) {
                    throw new Refused("EAGAIN");
                }
            }
            for (String path : transaction.changed) {
                Node node = transaction.nodes.get(path);
                (node == null ? cut(nodes, path) : put(nodes, path, node.value()))
                        .forEach(changed -> after.add(() -> fire(changed)));
            }
        }

        private String path(List<String> strings) throws Refused {
            if (strings.isEmpty()
                    || !strings.get(0).matches("/|(/[A-Za-z0-9@_-]+)+")
                    || strings.get(0).length() > 3072) {
                throw new Refused("EINVAL");
            }
            return strings.get(0);
        }

        private Node node(SortedMap<String, Node> tree, String path) throws Refused {
            Node node = tree.get(path);
            if (node == null) {
                throw new Refused("ENOENT");
            }
            return node;
        }

        private String list(SortedMap<String, Node> tree, String path) {
            StringBuilder list = new StringBuilder();
            children(tree, path).forEach(name -> list.append(name).append('\0'));
            return list.toString();
        }

        void event(String path, String token) {
            byte[] payload = (path + "\0" + token + "\0").getBytes(StandardCharsets.UTF_8);
            try {
                send(new Message(Message.WATCH_EVENT, 0, 0, payload));
            } catch (IOException e) {
                close();
            }
        }

        private synchronized void send(Message message) throws IOException {
            ByteBuffer bytes = tamper.apply(message.encode());
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }

        void close() {
            connections.remove(this);
            synchronized (TestXenstored.this) {
                watches.removeIf(watch -> watch.owner() == this);
            }
            try {
                channel.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }
}
