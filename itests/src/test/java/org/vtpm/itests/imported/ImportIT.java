package org.vtpm.itests.imported;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vtpm.api.engine.ConvertedState;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.ForeignState.KeyForm;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.itests.process.Swtpm;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.TpmChannel;

/** A guest moves its TPM from Debian's swtpm to our engine, and misses nothing. */
class ImportIT {
    private static final int AREA_LOCKED = 0x3C;
    private static final byte[] WORD = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private final Tpm12EngineFactory factory = new Tpm12EngineFactory(JavaBigNumberProvider::new);

    @TempDir
    private Path folder;

    /** How swtpm encrypts its state: its option, and what it means to us. */
    record Encryption(@Nullable String option, @Nullable KeyForm form, byte[] secret) {
        @Override
        public String toString() {
            return option == null ? "plain" : option;
        }
    }

    static Stream<Encryption> encryptions() {
        byte[] digits = HexFormat.of().formatHex(WORD).getBytes(StandardCharsets.US_ASCII);
        return Stream.of(
                new Encryption(null, null, WORD),
                new Encryption("file=%s,format=hex,mode=aes-cbc", KeyForm.HEX, digits),
                new Encryption("file=%s,format=binary", KeyForm.BINARY, WORD),
                new Encryption("pwdfile=%s", KeyForm.PBKDF2, WORD),
                new Encryption("pwdfile=%s,mode=aes-256-cbc,kdf=sha512", KeyForm.SHA512, WORD));
    }

    @ParameterizedTest
    @MethodSource("encryptions")
    void aTpmMovesWithAllItHas(Encryption encryption) throws Exception {
        Path secret = Files.write(folder.resolve("secret"), encryption.secret());
        String[] options = encryption.option() == null
                ? new String[0]
                : new String[] {"--key", encryption.option().formatted(secret)};
        Path home = folder.resolve("swtpm");
        Belongings belongings;
        try (Swtpm swtpm = Swtpm.start(home, options);
                Tpm12Client tpm = new Tpm12Client(swtpm.connect(), new Random(1))) {
            belongings = Belongings.acquire(tpm);
        }
        Map<String, String> before;
        try (Swtpm swtpm = Swtpm.start(home, options);
                Tpm12Client tpm = new Tpm12Client(swtpm.connect(), new Random(2))) {
            tpm.startup(Structures.ST_CLEAR).orFail();
            before = belongings.inventory(tpm);
        }
        byte[] file = Files.readAllBytes(home.resolve("tpm-00.permall"));

        ForeignState.Key key =
                encryption.form() == null ? null : new ForeignState.Key(encryption.form(), encryption.secret());
        ConvertedState converted = factory.convert(new ForeignState(ForeignState.Format.SWTPM, file, key));

        Map<StateKind, byte[]> stored = new EnumMap<>(Map.of(StateKind.PERMANENT, converted.permanent()));
        for (int round = 0; round < 2; round++) {
            try (Tpm12Client tpm = new Tpm12Client(powerOn(stored), new Random(3))) {
                tpm.startup(Structures.ST_CLEAR).orFail();
                if (round == 0) {
                    assertThat(belongings.inventory(tpm)).containsExactlyEntriesOf(before);
                }
                assertThat(belongings.unseal(tpm)).isEqualTo(Belongings.SECRET);
                assertThat(belongings.wrappedKeySigns(tpm)).isTrue();
                assertThat(belongings.evictKeySigns(tpm)).isTrue();
                assertThat(Belongings.writeLocked(tpm)).isEqualTo(AREA_LOCKED);
                assertThat(belongings.increment(tpm)).isEqualTo(5 + round);
            }
        }
        assertThat(converted.notes()).hasSize(1);
    }

    /** Our engine in this JVM; what it saves stays in memory. */
    private TpmChannel powerOn(Map<StateKind, byte[]> stored) throws Exception {
        Engine engine = factory.open(stored);
        return new TpmChannel() {
            @Override
            public byte[] transmit(byte[] command) throws IOException {
                return engine.execute(
                        0, command, changes -> changes.forEach((kind, part) -> stored.put(kind, part.clone())));
            }

            @Override
            public void close() {
                engine.close();
            }
        };
    }
}
