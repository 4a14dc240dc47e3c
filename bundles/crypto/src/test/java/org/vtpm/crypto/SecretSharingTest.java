package org.vtpm.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vtpm.crypto.SecretSharing.Share;

class SecretSharingTest {
    private final SecureRandom random = new SecureRandom();

    @Test
    void everyQuorumTellsTheSameSecret() {
        List<Share> shares = SecretSharing.split(32, 3, 5, random);
        byte[] secret = SecretSharing.combine(shares);
        assertThat(secret).hasSize(32);
        for (int a = 0; a < 5; a++) {
            for (int b = 0; b < 5; b++) {
                for (int c = 0; c < 5; c++) {
                    if (a != b && b != c && a != c) {
                        List<Share> three = List.of(shares.get(a), shares.get(b), shares.get(c));
                        assertThat(SecretSharing.combine(three)).isEqualTo(secret);
                    }
                }
            }
        }
        assertThat(SecretSharing.combine(shares.subList(0, 4))).isEqualTo(secret);
    }

    @Test
    void fewerTellAnother() {
        List<Share> shares = SecretSharing.split(32, 3, 5, random);
        byte[] secret = SecretSharing.combine(shares);
        assertThat(SecretSharing.combine(shares.subList(0, 2))).isNotEqualTo(secret);
        assertThat(shares).allSatisfy(share -> assertThat(share.value()).isNotEqualTo(secret));
    }

    @Test
    void aQuorumOfOneIsTheSecretItself() {
        List<Share> shares = SecretSharing.split(32, 1, 2, random);
        assertThat(SecretSharing.combine(shares.subList(0, 1)))
                .isEqualTo(SecretSharing.combine(shares.subList(1, 2)))
                .isEqualTo(SecretSharing.combine(shares));
    }

    @Test
    void theSameShareTwiceIsRefused() {
        Share share = SecretSharing.split(32, 2, 2, random).get(0);
        assertThatThrownBy(() -> SecretSharing.combine(List.of(share, share)))
                .hasMessageContaining("the same share twice");
    }

    @Test
    void impossibleQuorumsAreRefused() {
        assertThatThrownBy(() -> SecretSharing.split(32, 0, 1, random)).hasMessageContaining("not possible");
        assertThatThrownBy(() -> SecretSharing.split(32, 3, 2, random)).hasMessageContaining("not possible");
        assertThatThrownBy(() -> SecretSharing.split(32, 2, 17, random)).hasMessageContaining("not possible");
    }
}
