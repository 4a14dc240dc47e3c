package org.vtpm.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.vtpm.crypto.Sha256;

/** What is in a folder, to see whether anything of it changed. */
final class Digests {
    private Digests() {}

    static Map<Path, String> of(Path root) throws IOException {
        Map<Path, String> digests = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : paths.toList()) {
                digests.put(path, digest(path) + " " + Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
            }
        }
        return digests;
    }

    private static String digest(Path path) throws IOException {
        return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                ? HexFormat.of().formatHex(Sha256.of(Files.readAllBytes(path)))
                : "no file";
    }
}
