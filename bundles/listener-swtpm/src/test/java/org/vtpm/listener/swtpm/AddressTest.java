package org.vtpm.listener.swtpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {
    @ParameterizedTest
    @CsvSource({
        "tcp:127.0.0.1:6545, 127.0.0.1, 6545, true",
        "tcp:127.255.0.3:1, 127.255.0.3, 1, true",
        "tcp:[::1]:65535, 0:0:0:0:0:0:0:1, 65535, true",
        "tcp:0.0.0.0:80, 0.0.0.0, 80, false",
        "tcp:192.168.10.250:6545, 192.168.10.250, 6545, false",
        "tcp:[fe80::1]:6545, fe80:0:0:0:0:0:0:1, 6545, false",
    })
    void tcpAddressesAreLiterals(String uri, String host, int port, boolean local) {
        Address.Tcp tcp = (Address.Tcp) Address.parse(URI.create(uri));
        assertThat(tcp.socket().getAddress().getHostAddress()).isEqualTo(host);
        assertThat(tcp.socket().getPort()).isEqualTo(port);
        assertThat(tcp.local()).isEqualTo(local);
    }

    @Test
    void unixAddressesArePaths() {
        assertThat(Address.parse(URI.create("unix:/run/vtpm/a%20b.sock")))
                .isEqualTo(new Address.Unix(Path.of("/run/vtpm/a b.sock")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tcp:127.0.0.1",
                "tcp:6545",
                "tcp:127.0.0.1:0",
                "tcp:127.0.0.1:65536",
                "tcp:127.0.0.1:99999",
                "tcp:127.0.0.1:06545",
                "tcp:127.0.0.1:6545#x",
                "tcp:127.0.0.1:6545/",
                "tcp:127.1:6545",
                "tcp:127.0.0.256:6545",
                "tcp:127.0.0.1.:6545",
                "tcp:1.2.3.4.5:6545",
                "tcp:localhost:6545",
                "tcp:example.org:6545",
                "tcp:[::1:6545",
                "tcp:[:::::]:6545",
                "tcp:[127.0.0.1]:6545",
                "tcp:::1:6545",
                "tcp://127.0.0.1:6545",
                "tcp:/127.0.0.1:6545",
                "unix:relative.sock",
                "unix://host/run/x.sock",
                "unix:///run/x.sock",
                "unix:/run/x.sock?mode=0600",
                "unix:/run/x.sock#a",
                "unix:/run/../x.sock",
                "unix:/run//x.sock",
                "unix:/run/",
                "unix:/",
                "unix:/run/nul%00.sock",
                "legacy:3",
                "/run/x.sock",
            })
    void whateverElseIsRefusedWithAValidExample(String uri) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Address.parse(URI.create(uri)))
                .withMessageContaining("'" + uri + "'")
                .withMessageMatching("(?s).*Give an address such as (tcp:127\\.0\\.0\\.1:6545|unix:/run/vtpm/).*");
    }

    @Test
    void aPathThatDoesNotFitInASocketAddressIsRefused() {
        String longest = "/" + "a".repeat(Address.MAX_UNIX_PATH - 1);
        assertThat(Address.parse(URI.create("unix:" + longest))).isEqualTo(new Address.Unix(Path.of(longest)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Address.parse(URI.create("unix:" + longest + "a")))
                .withMessageContaining("106 bytes");
    }
}
