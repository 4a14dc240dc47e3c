package org.vtpm.api.engine;

import org.jspecify.annotations.Nullable;

/**
 * The permanent state of a TPM as another program stored it. The arrays stay the caller's, who zeroes them.
 *
 * @param format which program's
 * @param content one whole file of that program
 * @param key what it is encrypted with, or null if it is not
 * @param migrationKey what it was encrypted with once more when it was exported, or null if it was not
 */
public record ForeignState(
        Format format,
        byte[] content,
        @Nullable Key key,
        @Nullable Key migrationKey) {

    /** A state that was not encrypted when it was exported. */
    public ForeignState(Format format, byte[] content, @Nullable Key key) {
        this(format, content, key, null);
    }

    /** The programs whose state can be taken over. */
    public enum Format {
        /**
         * swtpm: of a TPM 1.2 the file {@code tpm-00.permall}, the single file of {@code backend-uri=file://}, or what
         * {@code swtpm_ioctl --save permanent} wrote.
         */
        SWTPM
    }

    /** How the bytes of a {@link Key} become a key. */
    public enum KeyForm {
        /** They are the key. */
        BINARY,
        /** They spell the key in hexadecimal digits. */
        HEX,
        /** They are a pass phrase: PBKDF2 with HMAC-SHA-512 makes a key of it. */
        PBKDF2,
        /** They are a pass phrase: the start of its SHA-512 is the key. */
        SHA512
    }

    /** What opens an encrypted state. */
    public record Key(KeyForm form, byte[] content) {
        /** Names nothing of the key. */
        @Override
        public String toString() {
            return "Key[" + form + "]";
        }
    }

    /** Names no content. */
    @Override
    public String toString() {
        return "ForeignState[" + format + "]";
    }
}
