package org.vtpm.listener.xen.xenstore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One message of XenStore's wire protocol: a header of four 32-bit numbers in the machine's byte order, then the payload.
 *
 * @param type what it is, as in {@code xsd_sockmsg_type}
 * @param request the number of the request that it is, or answers
 * @param transaction the transaction it belongs to, or 0
 * @param payload 0 to {@value #MAX_PAYLOAD} bytes
 */
record Message(int type, int request, int transaction, byte[] payload) {
    static final int DIRECTORY = 1;
    static final int READ = 2;
    static final int WATCH = 4;
    static final int UNWATCH = 5;
    static final int TRANSACTION_START = 6;
    static final int TRANSACTION_END = 7;
    static final int WRITE = 11;
    static final int RM = 13;
    static final int WATCH_EVENT = 15;
    static final int ERROR = 16;
    static final int IS_DOMAIN_INTRODUCED = 17;
    static final int DIRECTORY_PART = 22;

    static final int HEADER_SIZE = 16;

    /** {@code XENSTORE_PAYLOAD_MAX}: whoever sends more is hung up on. */
    static final int MAX_PAYLOAD = 4096;

    /** The header as numbers. */
    record Header(int type, int request, int transaction, int length) {}

    static Header header(ByteBuffer in) throws IOException {
        in.order(ByteOrder.nativeOrder());
        Header header = new Header(in.getInt(), in.getInt(), in.getInt(), in.getInt());
        if (header.length() < 0 || header.length() > MAX_PAYLOAD) {
            throw new IOException("XenStore sent a message of " + Integer.toUnsignedString(header.length())
                    + " bytes, at most " + MAX_PAYLOAD + " are allowed");
        }
        return header;
    }

    /** The message as bytes, ready to be sent. */
    ByteBuffer encode() {
        return ByteBuffer.allocate(HEADER_SIZE + payload.length)
                .order(ByteOrder.nativeOrder())
                .putInt(type)
                .putInt(request)
                .putInt(transaction)
                .putInt(payload.length)
                .put(payload)
                .flip();
    }

    /** The payload as text up to a NUL that ends it, if there is one. */
    String text() {
        int length = payload.length > 0 && payload[payload.length - 1] == 0 ? payload.length - 1 : payload.length;
        return new String(payload, 0, length, StandardCharsets.UTF_8);
    }

    /** The payload as strings that a NUL ends each. */
    List<String> strings() {
        return strings(payload);
    }

    static List<String> strings(byte[] payload) {
        List<String> strings = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < payload.length; i++) {
            if (payload[i] == 0) {
                strings.add(new String(payload, start, i - start, StandardCharsets.UTF_8));
                start = i + 1;
            }
        }
        return strings;
    }
}
