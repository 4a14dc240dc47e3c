package org.vtpm.engine.tpm12.foreign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.ForeignState.KeyForm;
import org.vtpm.crypto.Sha256;

class SwtpmFileTest {
    private static final String WORD = "0123456789abcdef";

    @Test
    void aPlainFileHoldsTheState() throws EngineStateException {
        assertThat(open(Samples.file("owned.permall"), null)).isEqualTo(Samples.blob("owned.permall"));
    }

    @Test
    void theOldestFilesAreTheState() throws EngineStateException {
        assertThat(open(Samples.blob("owned.permall"), null)).isEqualTo(Samples.blob("owned.permall"));
    }

    @ParameterizedTest
    @CsvSource({
        "hex128.permall, HEX, 0123456789abcdef0123456789abcdef",
        "hex128.permall, HEX, 0x0123456789ABCDEF0123456789ABCDEF",
        "binary128.permall, BINARY, 0123456789abcdef",
        "pbkdf2-128.permall, PBKDF2, 0123456789abcdef",
        "sha512-256.permall, SHA512, 0123456789abcdef"
    })
    void encryptedFilesOpenWithTheirKey(String name, KeyForm form, String word) throws EngineStateException {
        byte[] blob = open(Samples.file(name), key(form, word));

        assertThat(LibtpmsState.read(blob).permanent().owner()).isNull();
        assertThatThrownBy(() -> open(Samples.file(name), null)).hasMessageContaining("is encrypted");
    }

    @Test
    void whatFollowsTheDigitsIsNoPartOfTheKey() throws EngineStateException {
        open(Samples.file("hex128.permall"), key(KeyForm.HEX, "0123456789abcdef0123456789abcdef\n"));
    }

    @ParameterizedTest
    @CsvSource({
        "hex128.permall, HEX, 0123456789abcdef0123456789abcdee, does not open",
        "hex128.permall, HEX, 0123456789abcdef, has 64",
        "hex128.permall, HEX, 0123456789abcdef0123456789abcdeg, not in hexadecimal",
        "binary128.permall, BINARY, 0123456789abcdef0, has 136",
        "pbkdf2-128.permall, SHA512, 0123456789abcdef, does not open",
        "sha512-256.permall, BINARY, 0123456789abcdef, key of 256 bits",
        "new.permall, BINARY, 0123456789abcdef, not encrypted"
    })
    void theyDoNotOpenWithAnother(String name, KeyForm form, String word, String message) {
        refused(Samples.file(name), key(form, word), message);
    }

    @Test
    void everyCutAndEveryTurnedBitIsNoticed() {
        ForeignState.Key key = key(KeyForm.HEX, WORD + WORD);
        byte[] file = Samples.file("hex128.permall");
        for (int length = 0; length < file.length; length++) {
            refused(Arrays.copyOf(file, length), key, "swtpm's file");
        }
        for (int i = 16; i < file.length; i++) {
            file[i] ^= 1;
            refused(file, key, "swtpm's file");
            file[i] ^= 1;
        }
    }

    @Test
    void anyByteOfTheHeaderMayBeAnything() {
        for (int i = 0; i < Samples.ENVELOPE; i++) {
            for (int value = 0; value < 256; value++) {
                byte[] file = Samples.file("hex128.permall");
                file[i] = (byte) value;
                try {
                    assertThat(open(file, key(KeyForm.HEX, WORD + WORD))).hasSize(Samples.blob("new.permall").length);
                } catch (EngineStateException e) {
                    assertThat(e.getMessage()).isNotEmpty();
                }
            }
        }
    }

    @Test
    void filesOfVersionOneHoldTheStateItself() throws EngineStateException {
        byte[] blob = Samples.blob("new.permall");

        assertThat(open(file(1, 0, blob), null)).isEqualTo(blob);
    }

    @Test
    void encryptedFilesOfVersionOneHaveAHash() throws EngineStateException, GeneralSecurityException {
        byte[] blob = Samples.blob("new.permall");
        byte[] hashed = ByteBuffer.allocate(Sha256.LENGTH + blob.length)
                .put(Sha256.of(blob))
                .put(blob)
                .array();
        Cipher aes = Cipher.getInstance("AES/CBC/PKCS5Padding");
        aes.init(
                Cipher.ENCRYPT_MODE,
                new SecretKeySpec(WORD.getBytes(StandardCharsets.US_ASCII), "AES"),
                new IvParameterSpec(new byte[16]));
        byte[] file = file(1, 1, aes.doFinal(hashed));

        assertThat(open(file, key(KeyForm.BINARY, WORD))).isEqualTo(blob);
        refused(file, key(KeyForm.BINARY, "0123456789abcdeF"), "does not open");
    }

    @Test
    void whatWasExportedForMigrationIsUnwrapped() throws EngineStateException {
        byte[] inner = Arrays.copyOfRange(Samples.file("new.permall"), 10, Samples.file("new.permall").length);
        byte[] wrapped = ByteBuffer.allocate(6 + inner.length)
                .putShort((short) 4)
                .putInt(inner.length)
                .put(inner)
                .array();

        assertThat(open(file(2, 4, wrapped), null)).isEqualTo(Samples.blob("new.permall"));
        refused(file(2, 6, wrapped), null, "swtpm's --migration-key");
        refused(file(1, 2, inner), null, "swtpm's --migration-key");
    }

    @Test
    void whatWasExportedWithBothKeysOpensWithBoth() throws EngineStateException {
        ForeignState.Key key = key(KeyForm.HEX, WORD + WORD);
        ForeignState.Key migrationKey = key(KeyForm.PBKDF2, "fedcba9876543210");
        byte[] file = Samples.file("exported-both.blob");

        assertThat(SwtpmFile.open(exported(file, key, migrationKey))).hasSize(Samples.blob("new.permall").length);
        exportedIsRefused(file, key, null, "give the key or the pass phrase that swtpm's --migration-key has");
        exportedIsRefused(file, null, migrationKey, "give the key or the pass phrase that swtpm's --key has");
        exportedIsRefused(file, key, key(KeyForm.PBKDF2, WORD), "swtpm's --migration-key has another key");
        exportedIsRefused(file, migrationKey, migrationKey, "swtpm's --key has another key");
        exportedIsRefused(Samples.file("hex128.permall"), key, key, "not encrypted with swtpm's --migration-key");
        for (int length = 0; length < file.length; length++) {
            exportedIsRefused(Arrays.copyOf(file, length), key, migrationKey, "swtpm's file");
        }
        for (int i = Samples.ENVELOPE; i < file.length; i++) {
            file[i] ^= 1;
            exportedIsRefused(file, key, migrationKey, "swtpm's file");
            file[i] ^= 1;
        }
    }

    private static ForeignState exported(
            byte[] file, ForeignState.@Nullable Key key, ForeignState.@Nullable Key migrationKey) {
        return new ForeignState(ForeignState.Format.SWTPM, file, key, migrationKey);
    }

    private static void exportedIsRefused(
            byte[] file, ForeignState.@Nullable Key key, ForeignState.@Nullable Key migrationKey, String message) {
        assertThatThrownBy(() -> SwtpmFile.open(exported(file, key, migrationKey)))
                .isInstanceOf(EngineStateException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aSingleFileHoldsTheState() throws EngineStateException {
        byte[] file = Samples.file("single.bin");

        byte[] blob = open(file, null);
        assertThat(LibtpmsState.read(blob).permanent().endorsement()).isNull();
        assertThat(SwtpmFile.leftBehind(new ForeignState(ForeignState.Format.SWTPM, file, null)))
                .singleElement()
                .asString()
                .contains("saved state is not imported");
        assertThat(SwtpmFile.leftBehind(new ForeignState(ForeignState.Format.SWTPM, blob, null)))
                .isEmpty();
    }

    @Test
    void aSingleFileThatIsDamagedIsRefused() {
        byte[] file = Samples.file("single.bin");
        refused(Arrays.copyOf(file, 8), null, "swtpm's single file is cut short");
        refused(Arrays.copyOf(file, 500), null, "its permanent state lies from byte 192");
        for (int i = 8; i < 24; i++) {
            for (int value = 0; value < 256; value++) {
                byte[] changed = file.clone();
                changed[i] = (byte) value;
                try {
                    open(changed, null);
                } catch (EngineStateException e) {
                    assertThat(e.getMessage()).contains("swtpm's");
                }
            }
        }
        byte[] newer = file.clone();
        newer[8] = 2;
        refused(newer, null, "version 2");
        byte[] empty = file.clone();
        Arrays.fill(empty, 12, 16, (byte) 0);
        refused(empty, null, "no permanent state");
    }

    @Test
    void formsThatAreNotReadAreNamed() {
        byte[] newer = Samples.file("new.permall");
        newer[1] = 3;
        refused(newer, null, "version 3 or newer");
    }

    @Test
    void noKeyShowsInAMessage() {
        assertThat(key(KeyForm.HEX, "zz" + WORD).toString()).doesNotContain(WORD);
        assertThatThrownBy(() -> open(Samples.file("hex128.permall"), key(KeyForm.HEX, "zz" + WORD)))
                .hasMessageNotContaining(WORD)
                .hasNoCause();
    }

    private static byte[] open(byte[] file, ForeignState.@Nullable Key key) throws EngineStateException {
        return SwtpmFile.open(new ForeignState(ForeignState.Format.SWTPM, file, key));
    }

    private static byte[] file(int version, int flags, byte[] content) {
        return ByteBuffer.allocate(10 + content.length)
                .put((byte) version)
                .put((byte) 1)
                .putShort((short) 10)
                .putShort((short) flags)
                .putInt(10 + content.length)
                .put(content)
                .array();
    }

    private static ForeignState.Key key(KeyForm form, String word) {
        return new ForeignState.Key(form, word.getBytes(StandardCharsets.US_ASCII));
    }

    private static void refused(byte[] file, ForeignState.@Nullable Key key, String message) {
        assertThatThrownBy(() -> open(file, key))
                .isInstanceOf(EngineStateException.class)
                .hasMessageContaining(message);
    }
}
