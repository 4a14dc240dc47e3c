package org.vtpm.listener.legacy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.fake.FakeManager;
import org.vtpm.api.manager.GuestChannel;

class LegacyEndpointsTest {
    private final LegacyEndpoints endpoints = new LegacyEndpoints();
    private final FakeManager manager = new FakeManager(endpoints);

    @Test
    void aNumberLeadsToItsInstanceWhileTheEndpointIsOpen() throws Exception {
        GuestChannel one = manager.running("one", URI.create("legacy:1"));
        GuestChannel last = manager.running("last", URI.create("legacy:4294967294"));
        assertThat(endpoints.channel(1)).containsSame(one);
        assertThat(endpoints.channel(4294967294L)).containsSame(last);
        assertThat(endpoints.channel(2)).isEmpty();
        assertThatThrownBy(() -> endpoints.open(URI.create("legacy:1"), last))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("already served");
        endpoints.close(URI.create("legacy:1"));
        endpoints.close(URI.create("legacy:1"));
        assertThat(endpoints.channel(1)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "legacy:0",
                "legacy:01",
                "legacy:-1",
                "legacy:4294967295",
                "legacy:99999999999",
                "legacy:1#a",
                "legacy:/1",
                "legacy:x",
                "xen:1"
            })
    void whateverIsNoInstanceNumberIsRefusedWithAnExample(String uri) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> endpoints.check(URI.create(uri)))
                .withMessageContaining("'" + uri + "'")
                .withMessageContaining("such as legacy:1");
    }
}
