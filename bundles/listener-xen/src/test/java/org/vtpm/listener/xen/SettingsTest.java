package org.vtpm.listener.xen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.annotation.Annotation;
import java.util.Locale;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
    private static final UUID ONE = UUID.fromString("ac0a5b9e-cbe2-4c07-b43b-1d69e46fb839");
    private static final UUID TWO = UUID.fromString("11111111-2222-3333-4444-555555555555");

    /** As an operator's file with this line only. */
    private record Configured(String stubdoms) implements XenListenerConfig {
        @Override
        public boolean enabled() {
            return true;
        }

        @Override
        public String unknown() {
            return "create";
        }

        @Override
        public String family() {
            return "1.2";
        }

        @Override
        public int max_locality() {
            return 2;
        }

        @Override
        public int events_per_second() {
            return 100;
        }

        @Override
        public String xenstore() {
            return "";
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return XenListenerConfig.class;
        }
    }

    private static Settings of(String stubdoms) {
        return Settings.of(new Configured(stubdoms));
    }

    @Test
    void stubdomsAreUuidsSeparatedByCommas() {
        assertThat(of("").stubdoms()).isEmpty();
        assertThat(of(" ,").stubdoms()).isEmpty();
        assertThat(of(ONE.toString()).stubdoms()).containsExactly(ONE);
        Settings both = of(" " + ONE.toString().toUpperCase(Locale.ROOT) + ",\n " + TWO + ", ");
        assertThat(both.stubdoms()).containsExactlyInAnyOrder(ONE, TWO);
        assertThat(both.isStubdom(TWO)).isTrue();
        assertThat(both.isStubdom(new UUID(0, 0))).isFalse();
        assertThat(both.isStubdom(null)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "g1",
                "1-1-1-1-1",
                "*",
                "ac0a5b9e-cbe2-4c07-b43b-1d69e46fb839 11111111-2222-3333-4444-555555555555"
            })
    void whatIsNoUuidIsNamed(String word) {
        assertThatThrownBy(() -> of(ONE + "," + word))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stubdoms has '" + word + "'");
    }
}
