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
    void theyAreClosedWhenNoLongerAllowedAndLocalOnesStay() throws Exception {
        listener.apply(REMOTE);
        URI local = Guest.freeTcp();
        URI remote = URI.create(local.toString().replace("127.0.0.1", "0.0.0.0"));
        URI viaRemote = local;
        listener.open(remote, FakeInstance.direct());
        URI other = Guest.freeTcp();
        listener.open(other, FakeInstance.direct());
        try (Guest guest = new Guest(viaRemote)) {
            assertThat(guest.ask(FakeInstance.command(10, 1))).hasSize(10);
            listener.apply(LOCAL);
            assertThat(guest.rest()).isEmpty();
        }
        assertThatThrownBy(() -> new Guest(viaRemote)).isInstanceOf(IOException.class);
        try (Guest guest = new Guest(other)) {
            assertThat(guest.ask(FakeInstance.command(10, 1))).hasSize(10);
        }
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
