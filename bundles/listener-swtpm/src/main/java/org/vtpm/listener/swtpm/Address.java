package org.vtpm.listener.swtpm;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An endpoint URI that this listener serves, taken apart. */
sealed interface Address {
    /** {@code tcp:HOST:PORT}; the host is an IPv4 or a bracketed IPv6 literal, so that nothing depends on a name service. */
    record Tcp(InetSocketAddress socket) implements Address {
        /** Whether only this host can reach it. */
        boolean local() {
            return socket.getAddress().isLoopbackAddress();
        }
    }

    /** {@code unix:/PATH}. */
    record Unix(Path path) implements Address {}

    /** The longest path in bytes: a {@code sockaddr_un} has room for 107 and its final NUL, the JDK takes one less. */
    int MAX_UNIX_PATH = 106;

    /** All four numbers of an IPv4 address: the JDK reads 127.1 as an address, people as a mistake. */
    String IPV4 = "(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\\.(?=[0-9])|(?=:))){4}";

    /** What follows {@code tcp:}. */
    Pattern TCP_SYNTAX = Pattern.compile("(?<host>" + IPV4 + "|\\[[0-9A-Fa-f:.]+\\]):(?<port>[1-9][0-9]{0,4})");

    /**
     * Takes an endpoint URI apart.
     *
     * @throws IllegalArgumentException if it is not one of the two forms; the message shows a valid one
     */
    static Address parse(URI endpoint) {
        String scheme = endpoint.getScheme();
        if ("tcp".equals(scheme)) {
            return parseTcp(endpoint);
        }
        if ("unix".equals(scheme)) {
            return parseUnix(endpoint);
        }
        throw unfit(endpoint, "its scheme is neither tcp nor unix", "tcp:127.0.0.1:6545 or unix:/run/vtpm/guest.sock");
    }

    private static Tcp parseTcp(URI endpoint) {
        String example = "tcp:127.0.0.1:6545 or tcp:[::1]:6545";
        Matcher parts = TCP_SYNTAX.matcher(endpoint.getRawSchemeSpecificPart());
        if (!endpoint.isOpaque() || endpoint.getRawFragment() != null || !parts.matches()) {
            throw unfit(endpoint, "a literal IP address and a port must follow tcp:", example);
        }
        String host = parts.group("host");
        int port = Integer.parseInt(parts.group("port"));
        if (port < 1 || port > 65535) {
            throw unfit(endpoint, "its port is not between 1 and 65535", example);
        }
        try {
            return new Tcp(new InetSocketAddress(InetAddress.getByName(host), port));
        } catch (UnknownHostException e) {
            throw unfit(endpoint, "'" + host + "' is not a literal IP address", example);
        }
    }

    private static Unix parseUnix(URI endpoint) {
        String example = "unix:/run/vtpm/guest.sock";
        String text = endpoint.getPath();
        if (endpoint.isOpaque()
                || endpoint.getRawAuthority() != null
                || endpoint.getRawQuery() != null
                || endpoint.getRawFragment() != null
                || endpoint.getRawSchemeSpecificPart().startsWith("//")) {
            throw unfit(endpoint, "an absolute path must follow unix:", example);
        }
        Path path;
        try {
            path = Path.of(text);
        } catch (InvalidPathException e) {
            throw unfit(endpoint, "its path holds a character that no path can", example);
        }
        if (path.getFileName() == null || !path.normalize().toString().equals(text)) {
            throw unfit(endpoint, "its path must name a socket, without '.', '..' or a doubled slash", example);
        }
        if (text.getBytes(StandardCharsets.UTF_8).length > MAX_UNIX_PATH) {
            throw unfit(endpoint, "a socket's path has at most " + MAX_UNIX_PATH + " bytes", example);
        }
        return new Unix(path);
    }

    private static IllegalArgumentException unfit(URI endpoint, String why, String example) {
        return new IllegalArgumentException(
                "Cannot serve '" + endpoint + "': " + why + ". Give an address such as " + example + ".");
    }
}
