package org.vtpm.itests.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/** The sockets where a process can be reached from outside of it, as the kernel tells (proc(5)). */
final class ListeningSockets {
    private static final String TCP_LISTEN = "0A";
    private static final String UDP_UNCONNECTED = "07";

    private ListeningSockets() {}

    /** The local addresses of its listening TCP sockets and its unconnected UDP sockets. */
    static List<InetSocketAddress> of(long pid) throws IOException {
        Path process = Path.of("/proc", Long.toString(pid));
        Set<String> inodes = socketInodes(process.resolve("fd"));
        List<InetSocketAddress> found = new ArrayList<>();
        for (String table : List.of("tcp", "tcp6", "udp", "udp6")) {
            String state = table.startsWith("tcp") ? TCP_LISTEN : UDP_UNCONNECTED;
            List<String> lines = Files.readAllLines(process.resolve("net").resolve(table));
            for (String line : lines.subList(1, lines.size())) {
                String[] fields = line.strip().split(" +", -1);
                if (fields[3].equals(state) && inodes.contains(fields[9])) {
                    found.add(address(fields[1]));
                }
            }
        }
        return found;
    }

    private static Set<String> socketInodes(Path descriptors) throws IOException {
        Set<String> inodes = new HashSet<>();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(descriptors)) {
            for (Path link : links) {
                try {
                    String target = Files.readSymbolicLink(link).toString();
                    if (target.startsWith("socket:[")) {
                        inodes.add(target.substring("socket:[".length(), target.length() - 1));
                    }
                } catch (NoSuchFileException e) {
                    // Closed since the folder was listed.
                }
            }
        }
        return inodes;
    }

    /** {@code address:port} in hexadecimal; the address is written as 32-bit numbers of the processor's byte order. */
    private static InetSocketAddress address(String field) throws IOException {
        int colon = field.indexOf(':');
        byte[] words = HexFormat.of().parseHex(field.substring(0, colon));
        byte[] address = new byte[words.length];
        for (int i = 0; i < words.length; i++) {
            address[i] = words[i ^ 3];
        }
        return new InetSocketAddress(
                InetAddress.getByAddress(address), Integer.parseInt(field.substring(colon + 1), 16));
    }
}
