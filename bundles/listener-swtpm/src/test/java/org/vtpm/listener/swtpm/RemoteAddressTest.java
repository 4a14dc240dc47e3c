package org.vtpm.listener.swtpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nobody in by default: addresses that other hosts can reach need the operator's word. */
@Timeout(60)
class RemoteAddressTest {
    private static final Settings LOCAL = new Settings(false, 8, Duration.ofSeconds(5));
    private static final Settings REMOTE = new Settings(true, 8, Duration.ofSeconds(5));

    private final SwtpmListener listener;

    RemoteAddressTest() throws IOException {
        listener = new SwtpmListener(LOCAL);
    }

    @AfterEach
    void stop() {
        listener.deactivate();
    }

    @Test
    void theyAreRefusedUnlessAllowed() {
        URI everywhere = URI.create("tcp:0.0.0.0:6545");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> listener.check(everywhere))
                .withMessageContaining("allow.remote = true in org.vtpm.listener.swtpm");
        assertThatIllegalArgumentException().isThrownBy(() -> listener.open(everywhere, FakeInstance.direct()));
        listener.apply(REMOTE);
        listener.check(everywhere);
    }

    @Test
    void oneThatIsOpenWhenNoLongerAllowedIsNoticed() throws Exception {
        URI local = Guest.freeTcp();
        listener.open(local, FakeInstance.direct());
        assertThat(listener.apply(REMOTE)).isFalse();
        assertThat(listener.apply(LOCAL)).isFalse();
        listener.apply(REMOTE);
        URI reachable = Guest.freeTcp();
        URI remote = URI.create(reachable.toString().replace("127.0.0.1", "0.0.0.0"));
        listener.open(remote, FakeInstance.direct());
        try (Guest guest = new Guest(reachable)) {
            assertThat(guest.ask(FakeInstance.command(10, 1))).hasSize(10);
        }
        assertThat(listener.apply(LOCAL)).isTrue();
        listener.close(remote);
        assertThat(listener.apply(LOCAL)).isFalse();
    }

    @Test
    void aPortInUseIsNamedWithAWayToFindItsUser() throws Exception {
        URI endpoint = Guest.freeTcp();
        int port = Integer.parseInt(endpoint.toString().replaceAll(".*:", ""));
        try (ServerSocket taken = new ServerSocket(port)) {
            assertThat(taken.isBound()).isTrue();
            assertThatThrownBy(() -> listener.open(endpoint, FakeInstance.direct()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("ss -ltnp sport = :" + port);
        }
    }
}
