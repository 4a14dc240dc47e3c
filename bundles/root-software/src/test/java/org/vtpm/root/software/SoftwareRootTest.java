package org.vtpm.root.software;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;

class SoftwareRootTest {
    private static final byte[] SECRET = "thirty-two bytes of a host key..".getBytes(UTF_8);

    @TempDir
    Path temporary;

    private Path file;
    private SoftwareRoot root;

    @BeforeEach
    void makeRoot() {
        file = temporary.resolve("vtpm/root/software.key");
        root = new SoftwareRoot(new KeyFile(file));
    }

    @Test
    void whatIsSealedIsOpenedByTheSameFileOnly() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        assertThat(new SoftwareRoot(new KeyFile(file)).unseal(sealed)).isEqualTo(SECRET);
        assertThat(root.seal(SECRET, SealingTerms.NONE)).isNotEqualTo(sealed);

        SoftwareRoot other = new SoftwareRoot(new KeyFile(temporary.resolve("other.key")));
        other.seal(SECRET, SealingTerms.NONE);
        assertThatThrownBy(() -> other.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("another key than that in " + temporary.resolve("other.key"));
    }

    @Test
    void theKeyFileIsItsOwnersAloneAndMadeOnce() throws Exception {
        assertThat(file).doesNotExist();
        root.seal(SECRET, SealingTerms.NONE);
        byte[] key = Files.readAllBytes(file);
        root.seal(SECRET, SealingTerms.NONE);
        new KeyFile(file).create();
        assertThat(Files.readAllBytes(file)).isEqualTo(key).hasSize(32);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
                .isEqualTo("rwx------");
        try (Stream<Path> files = Files.list(file.getParent())) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void aDraftLeftByACrashIsReplaced() throws Exception {
        Files.createDirectories(
                file.getParent(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.write(file.resolveSibling("software.key.new"), new byte[7]);
        assertThat(root.unseal(root.seal(SECRET, SealingTerms.NONE))).isEqualTo(SECRET);
        assertThat(file.resolveSibling("software.key.new")).doesNotExist();
    }

    @Test
    void aMissingKeyFileIsNotMadeAnewToOpenSomething() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        Files.delete(file);
        assertThatThrownBy(() -> root.unseal(sealed))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining(file + " is missing");
        assertThat(file).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 31, 33, 4096})
    void aKeyFileOfAnotherLengthIsRefused(int length) throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        byte[] wrong = new byte[length];
        Files.write(file, wrong);
        assertThatThrownBy(() -> root.unseal(sealed)).hasMessageContaining("has " + length + " bytes");
        assertThatThrownBy(() -> root.seal(SECRET, SealingTerms.NONE)).hasMessageContaining("has " + length + " bytes");
        assertThat(Files.readAllBytes(file)).isEqualTo(wrong);
    }

    @Test
    void aKeyFileThatOthersCanReadIsRefused() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> root.unseal(sealed))
                .hasMessageContaining("mode 0644")
                .hasMessageContaining("0600");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThatThrownBy(() -> root.unseal(sealed))
                .hasMessageContaining("mode 0755")
                .hasMessageContaining("0700");
    }

    @Test
    void aKeyFileOfAnotherUserIsRefused() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        assumeTrue(Integer.valueOf(0).equals(Files.getAttribute(file, "unix:uid")), "only root gives files away");
        Files.setAttribute(file, "unix:uid", 4242);
        assertThatThrownBy(() -> root.unseal(sealed)).hasMessageContaining("belongs to user 4242");
    }

    @Test
    void aLinkIsRefusedAndNotFollowed() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        Path elsewhere = temporary.resolve("elsewhere");
        Files.move(file, elsewhere);
        Files.createSymbolicLink(file, elsewhere);
        assertThatThrownBy(() -> root.unseal(sealed))
                .hasMessageContaining("links and other kinds of files are refused");
        Files.delete(elsewhere);
        assertThatThrownBy(() -> root.seal(SECRET, SealingTerms.NONE))
                .hasMessageContaining("links and other kinds of files are refused");
        assertThat(elsewhere).doesNotExist();
    }

    @Test
    void aChangedBlobIsRefused() throws Exception {
        byte[] sealed = root.seal(SECRET, SealingTerms.NONE);
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= 1;
            byte[] cut = Arrays.copyOf(sealed, i);
            assertThatThrownBy(() -> root.unseal(changed)).isInstanceOf(RootOfTrustException.class);
            assertThatThrownBy(() -> root.unseal(cut)).isInstanceOf(RootOfTrustException.class);
        }
        byte[] longer = Arrays.copyOf(sealed, 1 << 16);
        assertThatThrownBy(() -> root.unseal(longer)).isInstanceOf(RootOfTrustException.class);
    }

    @Test
    void onlyShortSecretsAreSealed() throws Exception {
        assertThat(root.unseal(root.seal(new byte[64], SealingTerms.NONE))).hasSize(64);
        assertThat(root.unseal(root.seal(new byte[0], SealingTerms.NONE))).isEmpty();
        assertThatThrownBy(() -> root.seal(new byte[65], SealingTerms.NONE)).isInstanceOf(RootOfTrustException.class);
    }
}
