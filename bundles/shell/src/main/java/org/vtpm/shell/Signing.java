package org.vtpm.shell;

import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;

/**
 * How the operator's key gets to sign something: elsewhere, by way of a file to be signed and then one with the signature, or
 * at once with a key on this host.
 *
 * @param out the file to write what is to be signed to, or null
 * @param signature the file with the signature, or null
 * @param key the file with the private key, or null
 */
record Signing(
        @Nullable String out,
        @Nullable String signature,
        @Nullable String key) {
    static final String OUT = "--out";
    static final String SIGNATURE = "--signature";
    static final String KEY = "--sign";
    /** What help says of the options. */
    static final String OUT_HELP = "New file on the manager's host for what the operator's key has to sign";

    static final String SIGNATURE_HELP = "File on the manager's host with the signature of the operator's key";
    static final String KEY_HELP =
            "PEM file on the manager's host with the operator's private key, PKCS#8 and not encrypted; it is used once";

    private static final int LONGEST_SIGNATURE = 1024;

    /** Checks that there is one way exactly. */
    static Signing by(@Nullable String out, @Nullable String signature, @Nullable String key) throws CommandException {
        if (Stream.of(out == null, signature == null, key == null)
                        .filter(missing -> !missing)
                        .count()
                != 1) {
            throw new CommandException("Give one of " + OUT + " FILE to have written what is to be signed, " + SIGNATURE
                    + " FILE when it is signed, or " + KEY + " KEY.pem to sign on this host");
        }
        return new Signing(out, signature, key);
    }

    /**
     * Gets a signature, or writes what is to be signed and says how.
     *
     * @param again the command that takes the signature, without its option
     * @return nothing if it is not signed yet
     */
    Optional<byte[]> over(byte[] octets, String again) throws CommandException {
        if (signature != null) {
            return Optional.of(HostFile.read(HostFile.named(signature), LONGEST_SIGNATURE));
        }
        if (key != null) {
            return Optional.of(OperatorKey.readPrivate(HostFile.named(key)).sign(octets));
        }
        Path file = HostFile.named(String.valueOf(out));
        HostFile.writeNew(file, octets);
        String name = Words.quoted(file);
        String signed = Words.quoted(file.resolveSibling(file.getFileName() + ".sig"));
        System.out.println("Written to " + file + ". Sign it, here or where the operator's key is:");
        System.out.println("  openssl dgst -sha256 -sign key.pem -out " + signed + " " + name);
        System.out.println("Then:");
        System.out.println("  " + again + " " + SIGNATURE + " " + signed);
        return Optional.empty();
    }
}
