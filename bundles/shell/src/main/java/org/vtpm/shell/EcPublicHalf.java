package org.vtpm.shell;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The public half in an EC private key: Java reads the key (RFC 5208, with an ECPrivateKey of RFC 5915 in it), but passes
 * over the public key that OpenSSL puts there.
 */
final class EcPublicHalf {
    private static final int SEQUENCE = 0x30;
    private static final int BIT_STRING = 0x03;
    private static final int OCTET_STRING = 0x04;
    private static final int PUBLIC_KEY = 0xA1;

    private EcPublicHalf() {}

    /**
     * Makes a SubjectPublicKeyInfo of a PrivateKeyInfo that Java could read.
     *
     * @return nothing if there is no public key in it
     */
    static Optional<byte[]> of(byte[] pkcs8) {
        try {
            ByteBuffer info = content(ByteBuffer.wrap(pkcs8), SEQUENCE);
            skip(info);
            byte[] algorithm = whole(info);
            ByteBuffer key = content(content(info, OCTET_STRING), SEQUENCE);
            while (key.hasRemaining()) {
                if (Byte.toUnsignedInt(key.get(key.position())) == PUBLIC_KEY) {
                    byte[] bits = whole(content(key, PUBLIC_KEY));
                    return bits[0] == BIT_STRING ? Optional.of(sequence(algorithm, bits)) : Optional.empty();
                }
                skip(key);
            }
            return Optional.empty();
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Reads an element with this tag, and returns what is in it. */
    private static ByteBuffer content(ByteBuffer in, int tag) {
        if (Byte.toUnsignedInt(in.get()) != tag) {
            throw new IllegalArgumentException("another element");
        }
        int length = length(in);
        ByteBuffer content = in.slice();
        in.position(in.position() + length);
        return content.limit(length);
    }

    private static void skip(ByteBuffer in) {
        in.get();
        int length = length(in);
        in.position(in.position() + length);
    }

    private static byte[] whole(ByteBuffer in) {
        int start = in.position();
        skip(in);
        byte[] element = new byte[in.position() - start];
        in.get(start, element);
        return element;
    }

    private static int length(ByteBuffer in) {
        int first = Byte.toUnsignedInt(in.get());
        if (first < 0x80) {
            return first;
        }
        return switch (first) {
            case 0x81 -> Byte.toUnsignedInt(in.get());
            case 0x82 -> Short.toUnsignedInt(in.getShort());
            default -> throw new IllegalArgumentException("too long");
        };
    }

    private static byte[] sequence(byte[] first, byte[] second) {
        int length = first.length + second.length;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(SEQUENCE);
        if (length >= 0x100) {
            out.write(0x82);
            out.write(length >> 8);
        } else if (length >= 0x80) {
            out.write(0x81);
        }
        out.write(length);
        out.writeBytes(first);
        out.writeBytes(second);
        return out.toByteArray();
    }
}
