package org.vtpm.itests.root20;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.vtpm.itests.process.Programs;

/** An operator with OpenSSL and a key in a file. */
record Signer(Path folder) {
    /** Of what kind the key is. */
    enum Kind {
        RSA("-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"),
        EC("-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");

        private final List<String> options;

        Kind(String... options) {
            this.options = List.of(options);
        }
    }

    static Signer make(Path folder, Kind kind) throws Exception {
        Files.createDirectories(folder);
        Signer signer = new Signer(folder);
        signer.openssl(Stream.concat(Stream.of("genpkey", "-out", "key.pem"), kind.options.stream())
                .toArray(String[]::new));
        signer.openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "der", "-out", "key.der");
        return signer;
    }

    byte[] publicKey() throws Exception {
        return Files.readAllBytes(folder.resolve("key.der"));
    }

    byte[] sign(byte[] message) throws Exception {
        Files.write(folder.resolve("message"), message);
        openssl("dgst", "-sha256", "-sign", "key.pem", "-out", "signature", "message");
        return Files.readAllBytes(folder.resolve("signature"));
    }

    private void openssl(String... arguments) throws Exception {
        Programs.Result result = Programs.run(
                folder,
                Map.of(),
                Duration.ofMinutes(2),
                "",
                Stream.concat(Stream.of("openssl"), Stream.of(arguments)).toList());
        assertThat(result.exit()).as(result.output()).isZero();
    }
}
