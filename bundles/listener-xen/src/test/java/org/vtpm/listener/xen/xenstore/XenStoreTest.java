package org.vtpm.listener.xen.xenstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client with the tests' own xenstored, which can also do what none should. */
class XenStoreTest extends XenStoreContract {
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

    @Override
    Path socket() {
        return server.socket();
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
        XenStore store = connect(XenStoreSocket.connect(socket()), Duration.ofMillis(200));
        server.tamper = bytes -> bytes.putInt(4, 1_000_000);
        assertThatThrownBy(() -> store.read("/a")).hasMessage("XenStore did not answer within 0 s: read /a");
        server.tamper = bytes -> bytes;
        assertThat(store.read("/a")).isEmpty();
    }
}
