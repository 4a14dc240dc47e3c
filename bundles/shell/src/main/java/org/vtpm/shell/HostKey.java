package org.vtpm.shell;

import java.nio.file.Path;
import java.util.Base64;
import org.apache.karaf.shell.support.CommandException;

/** The public key of a host that bundles are made for. Whether it is one is said by the storage. */
final class HostKey {
    private static final String LABEL = "PUBLIC KEY";

    /** How the Base64 of every such key begins: its algorithm, X25519. */
    private static final String TEXT = "MCowBQYDK2VuAyEA";

    private HostKey() {}

    /**
     * The key that an operator named, as DER.
     *
     * @param word a PEM file, or the line of Base64 in it
     */
    static byte[] named(String word) throws CommandException {
        if (word.startsWith(TEXT)) {
            try {
                return Base64.getDecoder().decode(word);
            } catch (IllegalArgumentException e) {
                throw new CommandException(
                        "'" + word + "' is no host's key: it is not Base64 as vtpm:storage host-key prints it", e);
            }
        }
        Path file = HostFile.named(word);
        Pem pem = Pem.read(file);
        if (!pem.label().equals(LABEL)) {
            throw new CommandException(file + " has no public key, but a " + pem.label()
                    + "; vtpm:storage host-key prints the right one on the host that is to open the bundle");
        }
        return pem.der();
    }

    static String pem(byte[] der) {
        return Pem.text(LABEL, der);
    }
}
