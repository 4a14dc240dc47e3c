package org.vtpm.storage.key;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import org.vtpm.crypto.Hpke;
import org.vtpm.crypto.Sha256;

/** A host's public key that bundles are sealed to, on X25519; as SubjectPublicKeyInfo (RFC 8410, section 4) for everybody else. */
public final class ExportKey {
    private static final byte[] INFO_HEAD = HexFormat.of().parseHex("302a300506032b656e032100");

    private final byte[] raw;

    private ExportKey(byte[] raw) {
        this.raw = raw;
    }

    /** The public key that belongs to a seed. */
    static ExportKey ofSeed(byte[] seed) {
        return new ExportKey(Hpke.publicKey(seed));
    }

    /** The public key with these {@value Hpke#PUBLIC_KEY_LENGTH} bytes. */
    static ExportKey ofRaw(byte[] raw) {
        return new ExportKey(raw.clone());
    }

    /**
     * Reads a DER SubjectPublicKeyInfo.
     *
     * @throws IOException if it is anything else than a key on X25519
     */
    static ExportKey ofSubjectPublicKeyInfo(byte[] der) throws IOException {
        if (der.length != INFO_HEAD.length + Hpke.PUBLIC_KEY_LENGTH
                || !Arrays.equals(der, 0, INFO_HEAD.length, INFO_HEAD, 0, INFO_HEAD.length)) {
            throw new IOException(
                    "the key is none that bundles can be made for; vtpm:storage host-key shows it on the host that is"
                            + " to open the bundle");
        }
        return new ExportKey(Arrays.copyOfRange(der, INFO_HEAD.length, der.length));
    }

    /** As DER. */
    public byte[] subjectPublicKeyInfo() {
        byte[] der = Arrays.copyOf(INFO_HEAD, INFO_HEAD.length + raw.length);
        System.arraycopy(raw, 0, der, INFO_HEAD.length, raw.length);
        return der;
    }

    /** SHA-256 of the DER, in hexadecimal, by which people tell hosts apart. */
    public String fingerprint() {
        return HexFormat.of().formatHex(Sha256.of(subjectPublicKeyInfo()));
    }

    byte[] raw() {
        return raw.clone();
    }
}
