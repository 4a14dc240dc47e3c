package org.vtpm.itests.root20;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.vtpm.itests.process.Programs;

/** An operator with OpenSSL and a key in a file. */
public record Signer(Path folder) {
    /** Of what kind the key is. */
    public enum Kind {
        RSA("rsa", "rsa_keygen_bits:2048"),
        EC("ec", "ec_paramgen_curve:P-256");

        private final String algorithm;
        private final String option;

        Kind(String algorithm, String option) {
            this.algorithm = algorithm;
            this.option = option;
        }
    }

    public static Signer make(Path folder, Kind kind) throws Exception {
        Files.createDirectories(folder);
        Signer signer = new Signer(folder);
        signer.openssl("genpkey", "-out", "key.pem", "-algorithm", kind.algorithm, "-pkeyopt", kind.option);
        signer.openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "der", "-out", "key.der");
        return signer;
    }

    public byte[] publicKey() throws Exception {
        return Files.readAllBytes(folder.resolve("key.der"));
    }

    public byte[] sign(byte[] message) throws Exception {
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
