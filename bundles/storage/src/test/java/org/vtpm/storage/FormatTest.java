package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vtpm.storage.Samples.record;
import static org.vtpm.storage.Samples.suspended;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.root.SealingTerms;

/** The files are what docs/storage.md says, byte by byte: they are built here from that page and with the JDK's own ciphers. */
class FormatTest {
    private static final byte[] SECRET = sequence(32, 0);
    private static final HostKey HOST_KEY = new HostKey(SECRET);
    private static final InstanceRecord RECORD = record("demo");

    @Test
    void recordOfAnInstance() throws Exception {
        byte[] body = bytes(out -> {
            text(out, "demo");
            out.write(new byte[] {0x12, 2, 3, 1});
            text(out, "fifo");
            out.writeShort(2);
            text(out, "tcp:127.0.0.1:6545");
            text(out, "unix:/run/demo");
            out.writeByte(0);
            out.writeLong(1_800_000_000L);
            out.writeInt(123_456_789);
        });
        byte[] file = tagged(header("VTPMRECO", 1, RECORD.uuid(), 7), body);

        assertThat(new RecordFile(RECORD, 7).encode(HOST_KEY)).isEqualTo(file);
        assertThat(RecordFile.decode(file, HOST_KEY, RECORD.uuid())).isEqualTo(new RecordFile(RECORD, 7));
    }

    @Test
    void recordOfAnInstanceThatRunsWithoutTransportAndEndpoints() throws Exception {
        byte[] body = bytes(out -> {
            text(out, "demo");
            out.write(new byte[] {0x12, 2, 3, 0});
            out.writeShort(0);
            out.writeByte(2);
            out.writeLong(1_800_000_000L);
            out.writeInt(123_456_789);
        });
        byte[] file = tagged(header("VTPMRECO", 1, RECORD.uuid(), 1), body);

        assertThat(new RecordFile(suspended(RECORD), 1).encode(HOST_KEY)).isEqualTo(file);
        assertThat(RecordFile.decode(file, HOST_KEY, RECORD.uuid()).record()).isEqualTo(suspended(RECORD));
    }

    @Test
    void state() throws Exception {
        byte[] dataKey = sequence(32, 100);
        byte[] keyNonce = sequence(12, 50);
        byte[] nonce = sequence(12, 70);
        byte[] wrapped = gcm(
                derive("vtpm storage 1: wrapping of data keys", 32),
                keyNonce,
                header("VTPMSTAT", 1, RECORD.uuid(), 0),
                dataKey);
        byte[] head = bytes(out -> {
            out.write(header("VTPMSTAT", 1, RECORD.uuid(), 9));
            out.write(keyNonce);
            out.write(wrapped);
        });
        byte[] parts = bytes(out -> {
            part(out, 1, "permanent");
            part(out, 2, "saved");
            part(out, 3, "volatile");
        });
        byte[] sealed = gcm(dataKey, nonce, head, parts);
        byte[] file = bytes(out -> {
            out.write(head);
            out.write(nonce);
            out.write(sealed);
        });

        assertThat(head).hasSize(102);
        try (StateFile state = StateFile.decode(file, HOST_KEY, RECORD.uuid())) {
            assertThat(state.generation()).isEqualTo(9);
            Map<StateKind, byte[]> opened = state.copyParts();
            assertThat(opened).hasSize(3);
            assertThat(opened.get(StateKind.PERMANENT)).asString(UTF_8).isEqualTo("permanent");
            assertThat(opened.get(StateKind.SAVED)).asString(UTF_8).isEqualTo("saved");
            assertThat(opened.get(StateKind.VOLATILE)).asString(UTF_8).isEqualTo("volatile");
        }
    }

    @Test
    void hostKey() throws Exception {
        byte[] content = bytes(out -> {
            out.write("VTPMHOST".getBytes(UTF_8));
            out.writeShort(1);
            out.write(derive("vtpm storage 1: identity", 8));
            out.writeShort(1);
            text(out, "test");
            byte[] blob = new TestRoot().seal(SECRET, SealingTerms.NONE);
            out.writeInt(blob.length);
            out.write(blob);
        });
        byte[] file = bytes(out -> {
            out.write(content);
            out.write(MessageDigest.getInstance("SHA-256").digest(content));
        });

        assertThat(HostKeyFile.seal(SECRET, new TestRoot()).encode()).isEqualTo(file);
        try (HostKey opened = HostKeyFile.decode(file).open(List.of(new TestRoot()))) {
            assertThat(opened.id()).isEqualTo(HOST_KEY.id());
        }
    }

    @Test
    void anotherVersionIsToldFromDamage() throws Exception {
        byte[] file = tagged(header("VTPMRECO", 2, RECORD.uuid(), 1), new byte[0]);
        assertThatThrownBy(() -> RecordFile.decode(file, HOST_KEY, RECORD.uuid()))
                .hasMessageContaining("version 2 of the format");
    }

    private static byte[] header(String magic, int version, UUID instance, long generation) throws Exception {
        return bytes(out -> {
            out.write(magic.getBytes(UTF_8));
            out.writeShort(version);
            out.write(derive("vtpm storage 1: identity", 8));
            out.writeLong(instance.getMostSignificantBits());
            out.writeLong(instance.getLeastSignificantBits());
            out.writeLong(generation);
        });
    }

    private static byte[] tagged(byte[] header, byte[] body) throws Exception {
        byte[] content = bytes(out -> {
            out.write(header);
            out.writeInt(body.length);
            out.write(body);
        });
        return bytes(out -> {
            out.write(content);
            out.write(hmac(derive("vtpm storage 1: authentication of records", 32), content));
        });
    }

    /** HKDF-SHA-256 (RFC 5869) with an empty salt, for at most 32 bytes. */
    private static byte[] derive(String purpose, int length) throws GeneralSecurityException {
        byte[] extracted = hmac(new byte[32], SECRET);
        byte[] info = Arrays.copyOf(purpose.getBytes(UTF_8), purpose.length() + 1);
        info[purpose.length()] = 1;
        return Arrays.copyOf(hmac(extracted, info), length);
    }

    private static byte[] hmac(byte[] key, byte[] content) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(content);
    }

    private static byte[] gcm(byte[] key, byte[] nonce, byte[] aad, byte[] plaintext) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
        cipher.updateAAD(aad);
        return cipher.doFinal(plaintext);
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        out.writeShort(text.length());
        out.write(text.getBytes(UTF_8));
    }

    private static void part(DataOutputStream out, int kind, String content) throws IOException {
        out.writeByte(kind);
        out.writeInt(content.length());
        out.write(content.getBytes(UTF_8));
    }

    @FunctionalInterface
    private interface Content {
        void write(DataOutputStream out) throws Exception;
    }

    private static byte[] bytes(Content content) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        content.write(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private static byte[] sequence(int length, int first) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (first + i);
        }
        return bytes;
    }
}
