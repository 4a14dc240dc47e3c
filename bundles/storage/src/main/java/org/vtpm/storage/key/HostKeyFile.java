package org.vtpm.storage.key;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Sha256;

/**
 * The file {@code host.key}: the host's secret as the roots of trust and the recovery keys hold it. There is one secret,
 * and during a rotation two: the journal says which of them it is under.
 *
 * @param magic which kind of file it is
 * @param version of the format
 * @param secrets those that there are, the newest last
 * @param checksum SHA-256 of all before it: tells damage from a root of trust that refuses
 */
public record HostKeyFile(
        @Fixed(8) byte[] magic,
        @U16 int version,
        @Counted(prefix = 2) List<SealedSecret> secrets,
        @Fixed(Sha256.LENGTH) byte[] checksum) {
    /** A file of more bytes is refused. */
    public static final int LIMIT = 1 << 20;

    private static final String MAGIC = "VTPMHOST";
    private static final int VERSION = 3;

    /** A file of these secrets. */
    public static HostKeyFile of(List<SealedSecret> secrets) {
        return new HostKeyFile(MAGIC.getBytes(US_ASCII), VERSION, List.copyOf(secrets), new byte[Sha256.LENGTH]);
    }

    /** The file's content. */
    public byte[] encode() throws IOException {
        byte[] bytes = Layouts.encode(HostKeyFile.class, this);
        byte[] sum = sum(bytes);
        System.arraycopy(sum, 0, bytes, bytes.length - sum.length, sum.length);
        return bytes;
    }

    /** Reads a file; its check sum finds damage, the roots of trust find the rest. */
    public static HostKeyFile decode(byte[] bytes) throws IOException {
        HostKeyFile file = Layouts.decode(HostKeyFile.class, bytes);
        if (!Arrays.equals(file.magic, MAGIC.getBytes(US_ASCII))) {
            throw new IOException("it is not a file of this kind, or is damaged");
        }
        if (file.version != VERSION) {
            throw new IOException("it has version " + file.version + " of the format and this program knows version "
                    + VERSION + " only, or it is damaged");
        }
        if (!Arrays.equals(file.checksum, sum(bytes))) {
            throw new IOException("it is damaged: its check sum does not match");
        }
        if (file.secrets.isEmpty()) {
            throw new IOException("there is no secret in it");
        }
        return file;
    }

    /** The secret of a name. */
    public Optional<SealedSecret> find(byte[] id) {
        return secrets.stream().filter(secret -> Arrays.equals(secret.id(), id)).findFirst();
    }

    /** The file with a secret's new form in the place of the old one, or at the end. */
    public HostKeyFile with(SealedSecret changed) {
        List<SealedSecret> next = new ArrayList<>(secrets);
        next.replaceAll(secret -> Arrays.equals(secret.id(), changed.id()) ? changed : secret);
        if (find(changed.id()).isEmpty()) {
            next.add(changed);
        }
        return of(next);
    }

    /** The file with this secret only. */
    public static HostKeyFile only(SealedSecret secret) {
        return of(List.of(secret));
    }

    private static byte[] sum(byte[] bytes) {
        return Sha256.of(Arrays.copyOf(bytes, bytes.length - Sha256.LENGTH));
    }
}
