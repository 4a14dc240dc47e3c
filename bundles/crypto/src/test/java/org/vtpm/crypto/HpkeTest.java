package org.vtpm.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class HpkeTest {
    private static final byte[] INFO = "a test".getBytes(UTF_8);
    private static final byte[] MESSAGE = "what nobody else may read".getBytes(UTF_8);

    /** RFC 9180, appendix A.1.1: ikmE and pkEm. */
    @Test
    void keysAreDerivedAsInTheStandard() {
        byte[] seed = HexFormat.of().parseHex("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234");
        assertThat(Hpke.publicKey(seed))
                .asHexString()
                .isEqualToIgnoringCase("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
    }

    @Test
    void onlyTheSeedOpens() throws Exception {
        byte[] seed = seed(1);
        byte[] sealed = Hpke.seal(Hpke.publicKey(seed), INFO, MESSAGE);
        assertThat(Hpke.open(seed, INFO, sealed)).isEqualTo(MESSAGE);
        assertThat(Hpke.seal(Hpke.publicKey(seed), INFO, MESSAGE)).isNotEqualTo(sealed);
        assertThatThrownBy(() -> Hpke.open(seed(2), INFO, sealed)).isInstanceOf(AuthenticationException.class);
        assertThatThrownBy(() -> Hpke.open(seed, MESSAGE, sealed)).isInstanceOf(AuthenticationException.class);
    }

    @Test
    void noByteCanBeChangedOrLeftOut() {
        byte[] seed = seed(1);
        byte[] sealed = Hpke.seal(Hpke.publicKey(seed), INFO, MESSAGE);
        for (int at = 0; at < sealed.length; at++) {
            byte[] changed = sealed.clone();
            changed[at] ^= 1;
            byte[] cut = Arrays.copyOf(sealed, at);
            assertThatThrownBy(() -> Hpke.open(seed, INFO, changed)).isInstanceOf(AuthenticationException.class);
            assertThatThrownBy(() -> Hpke.open(seed, INFO, cut)).isInstanceOf(AuthenticationException.class);
        }
    }

    private static byte[] seed(int fill) {
        byte[] seed = new byte[Hpke.SEED_LENGTH];
        Arrays.fill(seed, (byte) fill);
        return seed;
    }
}
