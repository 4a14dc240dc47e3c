package org.vtpm.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha256;

/**
 * The file that holds the host's secret, sealed. It has room for the same secret sealed by several roots of trust; any of
 * them opens it.
 *
 * @param magic which kind of file it is
 * @param version of the format
 * @param hostKey name of the host key that comes of the secret
 * @param copies the sealed secret
 * @param checksum SHA-256 of all before it: tells damage from a root of trust that refuses
 */
record HostKeyFile(
        @Fixed(Header.MAGIC_LENGTH) byte[] magic,
        @U16 int version,
        @Fixed(HostKey.ID_LENGTH) byte[] hostKey,
        @Counted(prefix = 2) List<Copy> copies,
        @Fixed(Sha256.LENGTH) byte[] checksum) {
    /** A file of more bytes is refused. */
    static final int LIMIT = 1 << 20;

    private static final String MAGIC = "VTPMHOST";

    /**
     * The secret as one root of trust sealed it.
     *
     * @param root the root's name, UTF-8
     * @param sealed its blob
     */
    record Copy(@Sized(prefix = 2) byte[] root, @Sized byte[] sealed) {
        String rootName() {
            return new String(root, UTF_8);
        }
    }

    /** Has a secret sealed. */
    static HostKeyFile seal(byte[] secret, RootOfTrust root) throws IOException {
        try (HostKey key = new HostKey(secret)) {
            List<Copy> copies = List.of(new Copy(root.name().getBytes(UTF_8), root.seal(secret, SealingTerms.NONE)));
            HostKeyFile open = new HostKeyFile(
                    MAGIC.getBytes(US_ASCII), Header.VERSION, key.id(), copies, new byte[Sha256.LENGTH]);
            return new HostKeyFile(open.magic, open.version, open.hostKey, copies, sum(open.encode()));
        } catch (RootOfTrustException e) {
            throw new IOException("root of trust \"" + root.name() + "\" does not seal: " + e.getMessage(), e);
        }
    }

    byte[] encode() throws IOException {
        return Layouts.encode(HostKeyFile.class, this);
    }

    /** Reads a file; its check sum finds damage, the roots of trust find the rest. */
    static HostKeyFile decode(byte[] bytes) throws IOException {
        HostKeyFile file = Layouts.decode(HostKeyFile.class, bytes);
        Header.checkFormat(file.magic, file.version, MAGIC);
        if (!Arrays.equals(file.checksum, sum(bytes))) {
            throw new IOException("it is damaged: its check sum does not match");
        }
        return file;
    }

    /**
     * Has the secret released by the first root that does so.
     *
     * @param roots those that are there, best first
     * @throws IOException if none does; the message says why of each
     */
    HostKey open(List<RootOfTrust> roots) throws IOException {
        List<String> reasons = new ArrayList<>();
        for (RootOfTrust root : roots) {
            for (Copy copy : copies) {
                if (copy.rootName().equals(root.name())) {
                    try {
                        return open(root, copy);
                    } catch (RootOfTrustException | IOException e) {
                        reasons.add("root of trust \"" + root.name() + "\" does not open it: " + e.getMessage());
                    }
                }
            }
        }
        if (reasons.isEmpty()) {
            throw new IOException("it was sealed by the root of trust "
                    + String.join(" or ", copies.stream().map(Copy::rootName).toList())
                    + ", which is not there (there is: "
                    + (roots.isEmpty()
                            ? "none"
                            : String.join(
                                    ", ", roots.stream().map(RootOfTrust::name).toList()))
                    + "); start its bundle");
        }
        throw new IOException(String.join("; ", reasons));
    }

    private HostKey open(RootOfTrust root, Copy copy) throws RootOfTrustException, IOException {
        byte[] secret = root.unseal(copy.sealed);
        try {
            HostKey key = new HostKey(secret);
            if (!key.hasId(hostKey)) {
                key.close();
                throw new IOException("it released the key of another host");
            }
            return key;
        } finally {
            Secrets.zero(secret);
        }
    }

    private static byte[] sum(byte[] bytes) {
        return Sha256.of(Arrays.copyOf(bytes, bytes.length - Sha256.LENGTH));
    }
}
