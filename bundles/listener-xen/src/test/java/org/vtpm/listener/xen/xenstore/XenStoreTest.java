package org.vtpm.listener.xen.xenstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client with the tests' own xenstored, which can also do what none should. */
class XenStoreTest {
    @TempDir
    Path folder;

    private TestXenstored server;

    @BeforeEach
    void start() throws IOException {
        server = new TestXenstored(folder.resolve("socket"));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    static final Duration PATIENCE = Duration.ofSeconds(10);

    final BlockingQueue<String> changes = new LinkedBlockingQueue<>();
    final BlockingQueue<IOException> losses = new LinkedBlockingQueue<>();
    private final List<XenStore> opened = new ArrayList<>();

    @AfterEach
    void closeAll() {
        opened.forEach(XenStore::close);
    }

    XenStore connect() throws IOException {
        return connect(XenStoreSocket.connect(server.socket()), PATIENCE);
    }

    XenStore connect(XenStoreChannel channel, Duration patience) {
        XenStore store = new XenStore(
                channel,
                new XenStore.Listener() {
                    @Override
                    public void changed(String path, String token) {
                        changes.add(token);
                    }

                    @Override
                    public void lost(IOException why) {
                        losses.add(why);
                    }
                },
                patience);
        opened.add(store);
        return store;
    }

    String nextChange() throws InterruptedException {
        return changes.poll(10, TimeUnit.SECONDS);
    }

    @Test
    void nodesAreWrittenReadListedAndRemoved() throws IOException {
        XenStore store = connect();
        store.write("/vtpm/a/one", "1");
        store.write("/vtpm/a/two", "zwölf");
        store.write("/vtpm/a/empty", "");
        assertThat(store.read("/vtpm/a/one")).contains("1");
        assertThat(store.read("/vtpm/a/two")).contains("zwölf");
        assertThat(store.read("/vtpm/a/empty")).contains("");
        assertThat(store.read("/vtpm/a")).contains("");
        assertThat(store.list("/vtpm/a")).containsExactlyInAnyOrder("one", "two", "empty");
        assertThat(store.list("/vtpm/a/one")).isEmpty();
        store.remove("/vtpm/a");
        assertThat(store.read("/vtpm/a/one")).isEmpty();
        assertThat(store.list("/vtpm/a")).isEmpty();
        store.remove("/vtpm/a");
        store.remove("/vtpm/nobody/there");
    }

    @Test
    void listsThatAreTooLongForOneMessageComeInParts() throws IOException {
        XenStore store = connect();
        List<String> names =
                IntStream.range(0, 1500).mapToObj(i -> "domain-" + i).toList();
        for (String name : names) {
            store.write("/vtpm/long/" + name, "");
        }
        assertThat(store.list("/vtpm/long")).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void watchesTellOfANodeAndOfThoseBeneathIt() throws Exception {
        XenStore store = connect();
        XenStore other = connect();
        store.watch("/vtpm/w", "token-1");
        assertThat(nextChange()).isEqualTo("token-1");
        other.write("/vtpm/w", "x");
        assertThat(nextChange()).isEqualTo("token-1");
        other.write("/vtpm/w/beneath", "x");
        assertThat(nextChange()).isEqualTo("token-1");
        other.write("/vtpm/wide", "x");
        other.remove("/vtpm/w");
        assertThat(nextChange()).isEqualTo("token-1");
        store.unwatch("/vtpm/w", "token-1");
        other.write("/vtpm/w", "x");
        store.watch("@releaseDomain", "token-2");
        assertThat(nextChange()).isEqualTo("token-2");
        assertThat(changes).isEmpty();
    }

    @Test
    void aTransactionIsAllOrNothing() throws IOException {
        XenStore store = connect();
        store.write("/vtpm/t/a", "1");
        assertThatThrownBy(() -> store.transact(nodes -> {
                    nodes.write("/vtpm/t/a", "2");
                    nodes.remove("/vtpm/t");
                    assertThat(nodes.list("/vtpm/t")).isEmpty();
                    throw new IOException("on purpose");
                }))
                .hasMessage("on purpose");
        assertThat(store.read("/vtpm/t/a")).contains("1");
        String before = store.transact(nodes -> {
            String value = nodes.read("/vtpm/t/a").orElseThrow();
            nodes.write("/vtpm/t/a", "3");
            nodes.write("/vtpm/t/b", "4");
            return value;
        });
        assertThat(before).isEqualTo("1");
        assertThat(store.read("/vtpm/t/a")).contains("3");
        assertThat(store.read("/vtpm/t/b")).contains("4");
    }

    @Test
    void aTransactionIsRepeatedIfSomebodyElseWasThere() throws IOException {
        XenStore store = connect();
        XenStore other = connect();
        store.write("/vtpm/c/n", "0");
        List<String> seen = new ArrayList<>();
        store.transact(nodes -> {
            String value = nodes.read("/vtpm/c/n").orElseThrow();
            seen.add(value);
            if (seen.size() < 4) {
                other.write("/vtpm/c/n", String.valueOf(seen.size()));
            }
            nodes.write("/vtpm/c/n", value + "!");
            return value;
        });
        assertThat(seen).containsExactly("0", "1", "2", "3");
        assertThat(store.read("/vtpm/c/n")).contains("3!");
    }

    @Test
    void aTransactionThatNeverGoesThroughEnds() throws IOException {
        XenStore store = connect();
        XenStore other = connect();
        store.write("/vtpm/e/n", "0");
        List<String> seen = new ArrayList<>();
        assertThatThrownBy(() -> store.transact(nodes -> {
                    seen.add(nodes.read("/vtpm/e/n").orElseThrow());
                    other.write("/vtpm/e/n", String.valueOf(seen.size()));
                    nodes.write("/vtpm/e/n", "mine");
                    return null;
                }))
                .isInstanceOfSatisfying(
                        XenStoreException.class, e -> assertThat(e.error()).isEqualTo("EAGAIN"));
        assertThat(seen).hasSize(20);
    }

    @Test
    void errorsNameTheErrnoAndThePath() throws IOException {
        XenStore store = connect();
        assertThatThrownBy(() -> store.unwatch("/vtpm/none", "t"))
                .isInstanceOf(XenStoreException.class)
                .hasMessage("XenStore answered ENOENT to: unwatch /vtpm/none");
        store.watch("/vtpm/twice", "t");
        assertThatThrownBy(() -> store.watch("/vtpm/twice", "t")).hasMessageContaining("EEXIST");
        for (String path : List.of("", "relative", "/", "/a//b", "/a/", "/a b", "/ä", "/" + "a".repeat(3072))) {
            assertThatThrownBy(() -> store.read(path)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> store.write("/vtpm/big", "x".repeat(4096)))
                .isInstanceOf(IllegalArgumentException.class);
        store.write("/vtpm/big", "x".repeat(2000));
        assertThat(store.read("/vtpm/big").orElseThrow()).hasSize(2000);
    }

    @Test
    void aDomainThatIsNotThereIsNotIntroduced() throws IOException {
        assertThat(connect().introduced(4711)).isFalse();
    }

    @Test
    void callsFromManyThreadsGetTheirOwnAnswers() throws Exception {
        XenStore store = connect();
        List<Thread> threads = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            String path = "/vtpm/m/" + t;
            Thread thread = new Thread(() -> {
                try {
                    for (int i = 0; i < 200; i++) {
                        String value = path + "-" + i;
                        store.write(path, value);
                        if (!store.read(path).orElseThrow().equals(value)) {
                            throw new IOException("not " + value);
                        }
                    }
                } catch (IOException e) {
                    synchronized (wrong) {
                        wrong.add(e.getMessage());
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void aClosedConnectionSaysSo() throws IOException {
        XenStore store = connect();
        store.close();
        assertThatThrownBy(() -> store.read("/vtpm")).hasMessageContaining("closed");
        assertThat(losses).isEmpty();
    }

    @Test
    void aHeaderIsFourNumbersInTheMachinesOrder() {
        ByteBuffer bytes = new Message(Message.READ, 7, 9, new byte[] {'/', 'a', 0}).encode();
        ByteBuffer expected = ByteBuffer.allocate(19).order(ByteOrder.nativeOrder());
        expected.putInt(2)
                .putInt(7)
                .putInt(9)
                .putInt(3)
                .put((byte) '/')
                .put((byte) 'a')
                .put((byte) 0);
        assertThat(bytes).isEqualTo(expected.flip());
    }

    @Test
    void aLostConnectionIsTold() throws Exception {
        XenStore store = connect();
        assertThat(store.read("/none")).isEmpty();
        server.dropAll();
        assertThat(losses.poll(10, TimeUnit.SECONDS)).hasMessageContaining("closed the connection");
        assertThatThrownBy(() -> store.read("/none")).isInstanceOf(IOException.class);
    }

    @Test
    void anAnswerThatIsTooLongEndsTheConnection() throws Exception {
        XenStore store = connect();
        server.tamper = bytes -> bytes.putInt(12, 4097);
        assertThatThrownBy(() -> store.read("/none")).hasMessageContaining("4097 bytes");
        assertThat(losses.poll(10, TimeUnit.SECONDS)).isNotNull();
    }

    @Test
    void anAnswerOfAnotherTypeEndsTheConnection() throws Exception {
        XenStore store = connect();
        server.write("/a", "1");
        server.tamper = bytes -> bytes.putInt(0, Message.WRITE);
        assertThatThrownBy(() -> store.read("/a")).hasMessageContaining("type 2 with type 11");
        assertThat(losses.poll(10, TimeUnit.SECONDS)).isNotNull();
    }

    @Test
    void anAnswerThatDoesNotComeIsNotWaitedForForever() throws Exception {
        XenStore store = connect(XenStoreSocket.connect(server.socket()), Duration.ofMillis(200));
        server.tamper = bytes -> bytes.putInt(4, 1_000_000);
        assertThatThrownBy(() -> store.read("/a")).hasMessage("XenStore did not answer within 0 s: read /a");
        server.tamper = bytes -> bytes;
        assertThat(store.read("/a")).isEmpty();
    }

    /** As the device xenbus is: whoever waits in it is not told that it is closed. */
    @Test
    void aChannelWhoseReadsDoNotEndIsClosedInOrder() throws Exception {
        XenStoreSocket socket = XenStoreSocket.connect(server.socket());
        boolean[] closed = new boolean[1];
        List<Thread> readers = new CopyOnWriteArrayList<>();
        XenStore store = connect(
                new XenStoreChannel() {
                    @Override
                    public int read(ByteBuffer into) throws IOException {
                        readers.add(Thread.currentThread());
                        return socket.read(into);
                    }

                    @Override
                    public void write(ByteBuffer message) throws IOException {
                        socket.write(message);
                    }

                    @Override
                    public boolean closingEndsRead() {
                        return false;
                    }

                    @Override
                    public void close() {
                        closed[0] = true;
                    }
                },
                PATIENCE);
        assertThat(store.read("/none")).isEmpty();
        store.close();
        assertThat(closed[0]).isTrue();
        assertThat(readers.get(0).isAlive()).isFalse();
        socket.close();
    }
}
