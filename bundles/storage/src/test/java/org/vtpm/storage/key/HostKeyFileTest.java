package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.crypto.Hkdf;
import org.vtpm.storage.TestRoot;

class HostKeyFileTest {
    private final SecureRandom random = new SecureRandom();
    private final HostSecret secret = HostSecret.random(random);
    private final RootOfTrust here = new TestRoot("a", "this host");
    private final RootOfTrust elsewhere = new TestRoot("a", "another host");
    private final RootOfTrust other = new TestRoot("b", "this host");

    /** The layout of docs/storage.md, written by hand. */
    @Test
    void isLaidOutAsDocumented() throws Exception {
        SealedSecret sealed = SealedSecret.of(secret).sealed(here, secret, SealingTerms.NONE);
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(expected);
        out.write("VTPMHOST".getBytes(US_ASCII));
        out.writeShort(3);
        out.writeShort(1);
        out.write(secret.id());
        out.writeShort(1);
        out.writeShort(1);
        out.write('a');
        byte[] blob = sealed.blob("a").orElseThrow();
        out.writeInt(blob.length);
        out.write(blob);
        byte[] info = "vtpm storage 2: terms of roots of trust".getBytes(US_ASCII);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Hkdf.sha256(secret.copy(), new byte[0], info, 32), "HmacSHA256"));
        out.write(mac.doFinal(new byte[] {0, 0, 0, 1, 'a'}));
        out.write(0);
        out.write(MessageDigest.getInstance("SHA-256").digest(expected.toByteArray()));
        assertThat(HostKeyFile.only(sealed).encode()).isEqualTo(expected.toByteArray());
    }

    @Test
    void anyOfTheRootsOpens() throws Exception {
        SealedSecret sealed = SealedSecret.of(secret)
                .sealed(here, secret, SealingTerms.NONE)
                .sealed(other, secret, SealingTerms.NONE);
        HostKeyFile file = HostKeyFile.decode(HostKeyFile.only(sealed).encode());
        SealedSecret read = file.find(secret.id()).orElseThrow();
        assertThat(read.roots()).containsExactlyInAnyOrder("a", "b");
        assertThat(read.release(List.of(here)).id()).isEqualTo(secret.id());
        assertThat(read.release(List.of(other)).id()).isEqualTo(secret.id());
        assertThat(read.release(List.of(elsewhere, other)).id()).isEqualTo(secret.id());
        assertThatThrownBy(() -> read.without("b").release(List.of(elsewhere)))
                .isInstanceOf(IOException.class)
                .hasMessage("root of trust \"a\" does not open it: sealed on another host");
        assertThatThrownBy(() -> read.without("b").release(List.of(other)))
                .hasMessage("it was sealed by the root of trust a, which is not there (there is: b); start its bundle");
    }

    @Test
    void aRootThatReleasesAnothersSecretIsFound() throws Exception {
        HostSecret another = HostSecret.random(random);
        SealedSecret mixed = new SealedSecret(
                secret.id(),
                SealedSecret.of(another)
                        .sealed(here, another, SealingTerms.NONE)
                        .copies(),
                null);
        assertThatThrownBy(() -> mixed.release(List.of(here))).hasMessageContaining("the secret of another host");
    }

    @Test
    void holdsTwoSecretsDuringARotation() throws Exception {
        HostSecret next = HostSecret.random(random);
        HostKeyFile file = HostKeyFile.only(SealedSecret.of(secret).sealed(here, secret, SealingTerms.NONE))
                .with(SealedSecret.of(next).sealed(here, next, SealingTerms.NONE));
        HostKeyFile read = HostKeyFile.decode(file.encode());
        assertThat(read.secrets()).hasSize(2);
        for (HostSecret each : List.of(secret, next)) {
            assertThat(read.find(each.id()).orElseThrow().release(List.of(here)).id())
                    .isEqualTo(each.id());
        }
    }

    @Test
    void everyChangedOrMissingByteIsFound() throws Exception {
        byte[] file = HostKeyFile.only(SealedSecret.of(secret)
                        .sealed(here, secret, SealingTerms.NONE)
                        .with(RecoveryKeys.make(1, 1, random), secret))
                .encode();
        for (int at = 0; at < file.length; at++) {
            byte[] changed = file.clone();
            changed[at] ^= 1;
            byte[] cut = Arrays.copyOf(file, at);
            assertThatThrownBy(() -> HostKeyFile.decode(changed)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> HostKeyFile.decode(cut)).isInstanceOf(IOException.class);
        }
    }
}
