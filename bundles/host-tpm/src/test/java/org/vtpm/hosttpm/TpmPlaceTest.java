package org.vtpm.hosttpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TpmPlaceTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "device:/dev/tpmrm0",
                "unix:/run/tpm.sock",
                "tcp:localhost:2321",
                "tcp:127.0.0.1:1",
                "tcp:[::1]:65535"
            })
    void isReadAndWrittenAlike(String text) {
        assertThat(TpmPlace.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/dev/tpmrm0",
                "device:",
                "device:dev/tpmrm0",
                "device:/dev/\0",
                "unix:",
                "tcp:localhost",
                "tcp:2321",
                "tcp::2321",
                "tcp:localhost:0",
                "tcp:localhost:65536",
                "tcp:localhost:http",
                "tcp:::1:2321",
                "udp:localhost:2321"
            })
    void whatIsNoneTellsTheForms(String text) {
        assertThatThrownBy(() -> TpmPlace.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("device:/PATH, unix:/PATH or tcp:HOST:PORT");
    }
}
