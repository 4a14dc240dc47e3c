package org.vtpm.storage.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class RecoveryKeysTest {
    private final SecureRandom random = new SecureRandom();
    private final HostSecret secret = HostSecret.random(random);

    @Test
    void anyQuorumOpens() throws Exception {
        RecoveryKeys keys = RecoveryKeys.make(2, 3, random);
        SealedSecret sealed = SealedSecret.of(secret).with(keys, secret);
        List<char[]> texts = keys.texts();
        assertThat(texts).hasSize(3).allSatisfy(text -> assertThat(text).hasSize(99));
        for (List<char[]> two : List.of(texts.subList(0, 2), texts.subList(1, 3), texts)) {
            assertThat(sealed.recover(two).id()).isEqualTo(secret.id());
        }
        assertThat(sealed.quorum()).isEqualTo(2);
        assertThatThrownBy(() -> sealed.recover(texts.subList(0, 1)))
                .isInstanceOf(IOException.class)
                .hasMessage("2 recovery keys are needed, but 1 were given");
        assertThatThrownBy(() -> sealed.recover(List.of(texts.get(1), texts.get(1))))
                .hasMessage("recovery key 2 of the 2 given was given twice");
    }

    @Test
    void oneKeyIsEnoughIfSoOrdered() throws Exception {
        RecoveryKeys keys = RecoveryKeys.make(1, 1, random);
        SealedSecret sealed = SealedSecret.of(secret).with(keys, secret);
        String written =
                new String(keys.texts().get(0)).toUpperCase(Locale.ROOT).replace('-', ' ') + "\n";
        assertThat(sealed.recover(List.of(written.toCharArray())).id()).isEqualTo(secret.id());
    }

    @Test
    void everyTypingErrorIsFound() throws Exception {
        RecoveryKeys keys = RecoveryKeys.make(1, 1, random);
        SealedSecret sealed = SealedSecret.of(secret).with(keys, secret);
        char[] text = keys.texts().get(0);
        for (int at = 0; at < text.length; at++) {
            if (text[at] != '-') {
                char[] wrong = text.clone();
                wrong[at] = text[at] == '0' ? '1' : '0';
                assertThatThrownBy(() -> sealed.recover(List.of(wrong)))
                        .hasMessage("recovery key 1 of the 1 given has a typing error: its check digits do not match");
            }
        }
        for (String wrong : List.of("", "00", "x" + new String(text).substring(1), new String(text) + "0")) {
            assertThatThrownBy(() -> sealed.recover(List.of(wrong.toCharArray())))
                    .hasMessage("recovery key 1 of the 1 given is not one: it has 80 digits from 0 to f");
        }
    }

    @Test
    void keysOfAnotherSetAreRefused() throws Exception {
        SealedSecret sealed = SealedSecret.of(secret).with(RecoveryKeys.make(1, 1, random), secret);
        assertThatThrownBy(() -> sealed.recover(RecoveryKeys.make(1, 1, random).texts()))
                .hasMessage("recovery key 1 of the 1 given belongs to another set of recovery keys");
        assertThatThrownBy(() -> SealedSecret.of(secret).recover(List.of()))
                .hasMessage("no recovery keys were made for this storage");
    }

    /** A rotation of the secret asks nobody for the recovery keys. */
    @Test
    void theKeysOpenTheNextSecretToo() throws Exception {
        RecoveryKeys keys = RecoveryKeys.make(2, 2, random);
        SealedSecret sealed = SealedSecret.of(secret).with(keys, secret);
        HostSecret next = HostSecret.random(random);
        SealedSecret rotated = SealedSecret.of(next).withRecoveryOf(sealed, next);
        assertThat(rotated.recover(keys.texts()).id()).isEqualTo(next.id());
    }
}
