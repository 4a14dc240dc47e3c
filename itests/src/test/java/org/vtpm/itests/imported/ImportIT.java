package org.vtpm.itests.imported;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
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
import org.vtpm.itests.process.SwtpmControl;
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
        Path home = folder.resolve("swtpm");
        Owned owned = owned(home, options(encryption, "--key"));

        moves(owned, Files.readAllBytes(home.resolve("tpm-00.permall")), key(encryption), null);
    }

    @ParameterizedTest
    @MethodSource("encryptions")
    void soDoesOneInASingleFile(Encryption encryption) throws Exception {
        Path file = folder.resolve("tpm.bin");
        List<String> options = new ArrayList<>(options(encryption, "--key"));
        options.addAll(List.of("--tpmstate", "backend-uri=file://" + file));
        Owned owned = owned(folder.resolve("swtpm"), options);

        moves(owned, Files.readAllBytes(file), key(encryption), null);
    }

    @ParameterizedTest
    @MethodSource("encryptions")
    void soDoesOneThatIsExportedWhileItRuns(Encryption encryption) throws Exception {
        Path home = folder.resolve("swtpm");
        Path exported = folder.resolve("exported");
        List<String> options = options(encryption, "--migration-key");
        Owned owned = owned(home, options);
        try (Swtpm swtpm = Swtpm.start(home, options.toArray(String[]::new))) {
            swtpm.save("permanent", exported);
        }

        moves(owned, Files.readAllBytes(exported), null, key(encryption));
    }

    /** As swtpm exports it to QEMU: its own encryption stays, below that of the migration. */
    @Test
    void soDoesOneThatIsExportedWithBothItsKeys() throws Exception {
        Encryption kept = encryptions().skip(1).findFirst().orElseThrow();
        Encryption exported = encryptions().skip(4).findFirst().orElseThrow();
        Path home = folder.resolve("swtpm");
        List<String> options = new ArrayList<>(options(kept, "--key"));
        options.addAll(options(exported, "--migration-key"));
        Owned owned = owned(home, options);
        byte[] content;
        try (Swtpm swtpm = Swtpm.start(home, options.toArray(String[]::new));
                SwtpmControl control = swtpm.control()) {
            content = control.permanentState();
        }

        moves(owned, content, key(kept), key(exported));
    }

    /** What a TPM of swtpm's has, and what it tells of itself. */
    private record Owned(Belongings belongings, Map<String, String> inventory) {}

    private static Owned owned(Path home, List<String> options) throws Exception {
        Belongings belongings;
        try (Swtpm swtpm = Swtpm.start(home, options.toArray(String[]::new));
                Tpm12Client tpm = new Tpm12Client(swtpm.connect(), new Random(1))) {
            belongings = Belongings.acquire(tpm);
        }
        try (Swtpm swtpm = Swtpm.start(home, options.toArray(String[]::new));
                Tpm12Client tpm = new Tpm12Client(swtpm.connect(), new Random(2))) {
            tpm.startup(Structures.ST_CLEAR).orFail();
            return new Owned(belongings, belongings.inventory(tpm));
        }
    }

    private List<String> options(Encryption encryption, String option) throws IOException {
        if (encryption.option() == null) {
            return List.of();
        }
        Path secret = Files.write(folder.resolve("secret" + option), encryption.secret());
        return List.of(option, encryption.option().formatted(secret));
    }

    private static ForeignState.@Nullable Key key(Encryption encryption) {
        return encryption.form() == null ? null : new ForeignState.Key(encryption.form(), encryption.secret());
    }

    private void moves(
            Owned owned, byte[] file, ForeignState.@Nullable Key key, ForeignState.@Nullable Key migrationKey)
            throws Exception {
        ConvertedState converted =
                factory.convert(new ForeignState(ForeignState.Format.SWTPM, file, key, migrationKey));

        Belongings belongings = owned.belongings();
        Map<StateKind, byte[]> stored = new EnumMap<>(Map.of(StateKind.PERMANENT, converted.permanent()));
        for (int round = 0; round < 2; round++) {
            try (Tpm12Client tpm = new Tpm12Client(powerOn(stored), new Random(3))) {
                tpm.startup(Structures.ST_CLEAR).orFail();
                if (round == 0) {
                    assertThat(belongings.inventory(tpm)).containsExactlyEntriesOf(owned.inventory());
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
