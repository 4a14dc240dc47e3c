package org.vtpm.listener.xen.xenstore;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to XenStore. A thread of its own takes what comes, and tells answers from news of watched nodes; any
 * thread may ask. Once it is lost every call throws, and whoever wants another makes one.
 */
public final class XenStore implements NodeAccess, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(XenStore.class);

    /** {@code XENSTORE_ABS_PATH_MAX}. */
    private static final int MAX_PATH = 3072;

    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9@_-]+)+");
    private static final Pattern SPECIAL = Pattern.compile("@[A-Za-z]+");

    /** Far more than two clients need that do not mean harm. */
    private static final int TRANSACTION_ATTEMPTS = 20;

    private static final int DIRECTORY_ATTEMPTS = 20;
    private static final int NO_TRANSACTION = 0;
    private static final String NUL = "\0";

    /** Who wants to know. Called by the connection's own thread, which must not be kept waiting. */
    public interface Listener {
        /**
         * A watched node has changed, or the watch was just set.
         *
         * @param path the node, which may be one beneath that of the watch
         */
        void changed(String path, String token);

        /** The connection is lost; not called when it was closed. */
        void lost(IOException why);
    }

    /** A request that waits for its answer. */
    private record Pending(int type, CompletableFuture<Message> answer) {}

    /** What is done in one transaction. */
    @FunctionalInterface
    public interface Work<T> {
        T run(NodeAccess nodes) throws IOException;
    }

    private final XenStoreChannel channel;
    private final Listener listener;
    private final Duration patience;
    private final Map<Integer, Pending> pending = new ConcurrentHashMap<>();
    private final Object sending = new Object();
    private final Thread thread;
    private int lastRequest;
    private volatile boolean closing;
    private volatile @Nullable IOException lost;

    /**
     * @param channel closed with this
     * @param patience how long an answer may take
     */
    public XenStore(XenStoreChannel channel, Listener listener, Duration patience) {
        this.channel = channel;
        this.listener = listener;
        this.patience = patience;
        thread = new Thread(this::run, "vtpm-xenstore");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public Optional<String> read(String path) throws IOException {
        return read(NO_TRANSACTION, path);
    }

    @Override
    public List<String> list(String path) throws IOException {
        return list(NO_TRANSACTION, path);
    }

    @Override
    public void write(String path, String value) throws IOException {
        write(NO_TRANSACTION, path, value);
    }

    @Override
    public void remove(String path) throws IOException {
        remove(NO_TRANSACTION, path);
    }

    /** Whether XenStore knows a domain: from its making until it is gone for good. */
    public boolean introduced(int domain) throws IOException {
        return ask(Message.IS_DOMAIN_INTRODUCED, NO_TRANSACTION, domain + NUL, "is domain " + domain + " there")
                .text()
                .equals("T");
    }

    /** Asks to hear of a node and all beneath it. There is news at once, whether the node is there or not. */
    public void watch(String path, String token) throws IOException {
        ask(Message.WATCH, NO_TRANSACTION, watchable(path) + NUL + token + NUL, "watch " + path);
    }

    public void unwatch(String path, String token) throws IOException {
        ask(Message.UNWATCH, NO_TRANSACTION, watchable(path) + NUL + token + NUL, "unwatch " + path);
    }

    /**
     * Does work in one transaction: all of it or nothing, and as if nobody else did anything meanwhile. Work is repeated if
     * somebody else did, so it must have no effect outside.
     *
     * @throws XenStoreException with EAGAIN if somebody else always did
     */
    public <T> T transact(Work<T> work) throws IOException {
        for (int attempt = 1; ; attempt++) {
            int transaction = begin();
            T result;
            try {
                result = work.run(new Transaction(transaction));
            } catch (IOException | RuntimeException e) {
                abort(transaction);
                throw e;
            }
            try {
                ask(Message.TRANSACTION_END, transaction, "T" + NUL, "commit");
                return result;
            } catch (XenStoreException e) {
                if (!e.error().equals("EAGAIN") || attempt == TRANSACTION_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    @Override
    public void close() {
        closing = true;
        if (!channel.closingEndsRead()) {
            // Its answer brings the reader back.
            try {
                send(Message.IS_DOMAIN_INTRODUCED, NO_TRANSACTION, "0" + NUL, new CompletableFuture<>());
                thread.join(patience.toMillis());
            } catch (IOException e) {
                LOG.debug("Closing a lost connection", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        channel.close();
        failAll(new IOException("The connection to XenStore is closed"));
    }

    /** The nodes as one transaction sees them. */
    private final class Transaction implements NodeAccess {
        private final int id;

        Transaction(int id) {
            this.id = id;
        }

        @Override
        public Optional<String> read(String path) throws IOException {
            return XenStore.this.read(id, path);
        }

        @Override
        public List<String> list(String path) throws IOException {
            return XenStore.this.list(id, path);
        }

        @Override
        public void write(String path, String value) throws IOException {
            XenStore.this.write(id, path, value);
        }

        @Override
        public void remove(String path) throws IOException {
            XenStore.this.remove(id, path);
        }
    }

    private int begin() throws IOException {
        String id = ask(Message.TRANSACTION_START, NO_TRANSACTION, NUL, "begin a transaction")
                .text();
        try {
            return Integer.parseUnsignedInt(id);
        } catch (NumberFormatException e) {
            throw new IOException("XenStore gave a transaction the number '" + id + "'", e);
        }
    }

    private void abort(int transaction) {
        try {
            ask(Message.TRANSACTION_END, transaction, "F" + NUL, "abort");
        } catch (IOException e) {
            LOG.debug("Aborting a transaction", e);
        }
    }

    private Optional<String> read(int transaction, String path) throws IOException {
        try {
            byte[] value = ask(Message.READ, transaction, checked(path) + NUL, "read " + path)
                    .payload();
            return Optional.of(new String(value, StandardCharsets.UTF_8));
        } catch (XenStoreException e) {
            return ifMissing(e, Optional.empty());
        }
    }

    private void write(int transaction, String path, String value) throws IOException {
        ask(Message.WRITE, transaction, checked(path) + NUL + value, "write " + path);
    }

    private void remove(int transaction, String path) throws IOException {
        try {
            ask(Message.RM, transaction, checked(path) + NUL, "remove " + path);
        } catch (XenStoreException e) {
            ifMissing(e, path);
        }
    }

    private List<String> list(int transaction, String path) throws IOException {
        try {
            return ask(Message.DIRECTORY, transaction, checked(path) + NUL, "list " + path)
                    .strings();
        } catch (XenStoreException e) {
            return e.error().equals("E2BIG") ? listInParts(transaction, path) : ifMissing(e, List.of());
        }
    }

    /**
     * Reads a list that is too long for one message. Every part begins with the node's generation; if that changes, so may
     * have the list, and it is read anew. The last part ends with an empty string.
     */
    private List<String> listInParts(int transaction, String path) throws IOException {
        for (int attempt = 0; attempt < DIRECTORY_ATTEMPTS; attempt++) {
            ByteArrayOutputStream list = new ByteArrayOutputStream();
            String generation = null;
            while (true) {
                byte[] part = ask(
                                Message.DIRECTORY_PART,
                                transaction,
                                checked(path) + NUL + list.size() + NUL,
                                "list " + path + " from " + list.size())
                        .payload();
                List<String> strings = Message.strings(part);
                if (strings.isEmpty()) {
                    throw new IOException("XenStore sent a part of the list of " + path + " that is none");
                }
                if (generation != null && !generation.equals(strings.get(0))) {
                    break;
                }
                generation = strings.get(0);
                int start = generation.getBytes(StandardCharsets.UTF_8).length + 1;
                list.write(part, start, part.length - start);
                if (strings.size() == 1 || strings.get(strings.size() - 1).isEmpty()) {
                    return Message.strings(list.toByteArray()).stream()
                            .filter(name -> !name.isEmpty())
                            .toList();
                }
            }
        }
        throw new XenStoreException("EAGAIN", "list " + path);
    }

    private static <T> T ifMissing(XenStoreException e, T otherwise) throws XenStoreException {
        if (e.error().equals("ENOENT")) {
            return otherwise;
        }
        throw e;
    }

    private static String checked(String path) {
        if (path.length() > MAX_PATH || !PATH.matcher(path).matches()) {
            throw new IllegalArgumentException("'" + path + "' is not the absolute path of a node in XenStore");
        }
        return path;
    }

    private static String watchable(String path) {
        return SPECIAL.matcher(path).matches() ? path : checked(path);
    }

    private Message ask(int type, int transaction, String payload, String what) throws IOException {
        CompletableFuture<Message> answer = new CompletableFuture<>();
        int request = send(type, transaction, payload, answer);
        Message message;
        try {
            message = answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException(failure(e.getCause()), e);
        } catch (TimeoutException e) {
            throw new IOException("XenStore did not answer within " + patience.toSeconds() + " s: " + what, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while waiting for XenStore: " + what, e);
        } finally {
            pending.remove(request);
        }
        if (message.type() == Message.ERROR) {
            throw new XenStoreException(message.text(), what);
        }
        return message;
    }

    private static @Nullable String failure(@Nullable Throwable cause) {
        return cause == null ? null : cause.getMessage();
    }

    private int send(int type, int transaction, String payload, CompletableFuture<Message> answer) throws IOException {
        byte[] bytes = payload.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > Message.MAX_PAYLOAD) {
            throw new IllegalArgumentException(
                    "A request to XenStore of " + bytes.length + " bytes is longer than " + Message.MAX_PAYLOAD);
        }
        synchronized (sending) {
            IOException cause = lost;
            if (cause != null) {
                throw new IOException(cause.getMessage(), cause);
            }
            int request = ++lastRequest;
            pending.put(request, new Pending(type, answer));
            channel.write(new Message(type, request, transaction, bytes).encode());
            return request;
        }
    }

    private void run() {
        try {
            while (!closing) {
                take(receive());
            }
        } catch (IOException e) {
            if (!closing) {
                failAll(e);
                listener.lost(e);
            }
        } catch (RuntimeException e) {
            LOG.error("Unexpected fault while reading from XenStore", e);
            IOException fault = new IOException("The connection to XenStore failed", e);
            failAll(fault);
            listener.lost(fault);
        }
    }

    private Message receive() throws IOException {
        Message.Header header = Message.header(receive(Message.HEADER_SIZE));
        return new Message(
                header.type(),
                header.request(),
                header.transaction(),
                receive(header.length()).array());
    }

    private ByteBuffer receive(int size) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(size);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new IOException("XenStore closed the connection");
            }
        }
        return buffer.flip();
    }

    private void take(Message message) throws IOException {
        if (message.type() == Message.WATCH_EVENT) {
            List<String> strings = message.strings();
            if (strings.size() < 2) {
                throw new IOException("XenStore sent news of a watch without its token");
            }
            listener.changed(strings.get(0), strings.get(1));
            return;
        }
        Pending waiting = pending.get(message.request());
        if (waiting == null) {
            LOG.debug("XenStore answered request {} too late", message.request());
        } else if (message.type() != Message.ERROR && message.type() != waiting.type()) {
            throw new IOException(
                    "XenStore answered a request of type " + waiting.type() + " with type " + message.type());
        } else {
            waiting.answer().complete(message);
        }
    }

    private void failAll(IOException why) {
        synchronized (sending) {
            if (lost == null) {
                lost = why;
            }
        }
        pending.values().forEach(waiting -> waiting.answer().completeExceptionally(why));
    }
}
