package org.vtpm.hosttpm;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ByteChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** Where a TPM is. Its text form is what operators write and read. */
public sealed interface TpmPlace {
    /** A character device of the kernel, such as {@code /dev/tpmrm0}. */
    record Device(Path path) implements TpmPlace {
        @Override
        public String toString() {
            return "device:" + path;
        }
    }

    /** A TPM that reads raw commands from a TCP connection, such as swtpm's data channel. */
    record Tcp(String host, int port) implements TpmPlace {
        @Override
        public String toString() {
            return "tcp:" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /** A TPM that reads raw commands from a connection to a UNIX socket. */
    record Unix(Path path) implements TpmPlace {
        @Override
        public String toString() {
            return "unix:" + path;
        }
    }

    /**
     * Reads {@code device:/PATH}, {@code unix:/PATH} or {@code tcp:HOST:PORT}, an IPv6 address in brackets.
     *
     * @throws IllegalArgumentException if the text is none of them; the message tells the forms
     */
    static TpmPlace parse(String text) {
        int colon = text.indexOf(':');
        String rest = text.substring(colon + 1);
        return switch (text.substring(0, Math.max(colon, 0))) {
            case "device" -> new Device(absolute(text, rest));
            case "unix" -> new Unix(absolute(text, rest));
            case "tcp" -> tcp(text, rest);
            default -> throw unknown(text);
        };
    }

    /** A new connection; blocks as long as the operating system does. */
    default ByteChannel connect() throws IOException {
        if (this instanceof Device device) {
            return FileChannel.open(device.path(), Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
        }
        return SocketChannel.open(address());
    }

    private SocketAddress address() {
        if (this instanceof Tcp tcp) {
            return new InetSocketAddress(tcp.host(), tcp.port());
        }
        return UnixDomainSocketAddress.of(((Unix) this).path());
    }

    private static TpmPlace tcp(String text, String rest) {
        int colon = rest.lastIndexOf(':');
        String host = rest.substring(0, Math.max(colon, 0));
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.contains(":")) {
            throw unknown(text);
        }
        try {
            int port = Integer.parseInt(rest.substring(colon + 1));
            if (host.isEmpty() || port < 1 || port > 65535) {
                throw unknown(text);
            }
            return new Tcp(host, port);
        } catch (NumberFormatException e) {
            throw unknown(text);
        }
    }

    private static Path absolute(String text, String path) {
        try {
            if (path.startsWith("/")) {
                return Path.of(path);
            }
        } catch (InvalidPathException e) {
            // A path with a zero in it is no place either.
        }
        throw unknown(text);
    }

    private static IllegalArgumentException unknown(String text) {
        return new IllegalArgumentException(
                "\"" + text + "\" is no place of a TPM: use device:/PATH, unix:/PATH or tcp:HOST:PORT");
    }
}
