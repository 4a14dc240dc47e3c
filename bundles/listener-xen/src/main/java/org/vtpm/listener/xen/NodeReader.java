package org.vtpm.listener.xen;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vtpm.listener.xen.xenstore.NodeAccess;

/**
 * Reads what XenStore says of a device. Who the guest is, and which TPM is its own, comes from the backend's folder, where
 * only dom0 writes; of the frontend's, which is the guest's, no more is used than how to reach it.
 */
final class NodeReader {
    private static final Pattern UUID_TEXT = Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");

    /** What xl appends to the name of a domain that it is receiving. */
    private static final String INCOMING = "--incoming";

    private NodeReader() {}

    /**
     * Reads what only dom0 writes, which is best done in one transaction.
     *
     * @param alive whether XenStore knows the domain
     */
    static Nodes backend(NodeAccess nodes, DeviceId id, boolean alive) throws IOException {
        String backend = id.backend();
        Optional<String> owner = nodes.read(backend + "/frontend-id");
        if (owner.isEmpty()) {
            return Nodes.ABSENT;
        }
        String uuid = nodes.read(backend + "/uuid").orElse("");
        return new Nodes(
                true,
                alive,
                nodes.read(backend + "/online").orElse("").equals("1"),
                uuid(uuid).orElse(null),
                fault(nodes, id, owner.get(), uuid),
                state(nodes, backend),
                nodes.read(backend + "/ready").orElse(""),
                name(nodes, id).endsWith(INCOMING),
                XenbusState.UNKNOWN,
                null,
                null);
    }

    /**
     * Reads what the guest writes. Not in a transaction, which a guest that writes all the time could keep from going through.
     * Guests write their state last, so it is read first.
     */
    static Nodes frontend(NodeAccess nodes, DeviceId id, Nodes backend) throws IOException {
        if (!backend.present()) {
            return backend;
        }
        XenbusState frontend = state(nodes, id.frontend());
        boolean offers = frontend == XenbusState.INITIALISED || frontend == XenbusState.CONNECTED;
        return backend.with(
                frontend, offers ? link(nodes, id.frontend()) : null, offers ? linkFault(nodes, id.frontend()) : null);
    }

    /** The name that the toolstack gave the guest's domain, or empty. */
    static String name(NodeAccess nodes, DeviceId id) throws IOException {
        return nodes.read(id.domainFolder() + "/name").orElse("");
    }

    private static @Nullable String fault(NodeAccess nodes, DeviceId id, String owner, String uuid) throws IOException {
        if (!owner.equals(String.valueOf(id.domain()))) {
            return "its frontend-id is not the domain " + id.domain() + " that it belongs to";
        }
        if (!nodes.read(id.backend() + "/frontend").orElse("").equals(id.frontend())) {
            return "its frontend is not " + id.frontend();
        }
        return uuid(uuid).isPresent() ? null : "the toolstack gave it no valid uuid";
    }

    /** A UUID in its usual form, or nothing. */
    static Optional<UUID> uuid(String text) {
        return Optional.of(text)
                .filter(word -> UUID_TEXT.matcher(word).matches())
                .map(UUID::fromString);
    }

    private static XenbusState state(NodeAccess nodes, String folder) throws IOException {
        return XenbusState.of(nodes.read(folder + "/state").orElse(""));
    }

    private static Nodes.@Nullable Link link(NodeAccess nodes, String frontend) throws IOException {
        Optional<Integer> ringRef = number(nodes, frontend + "/ring-ref");
        Optional<Integer> port = number(nodes, frontend + "/event-channel");
        return ringRef.isEmpty() || port.isEmpty() ? null : new Nodes.Link(ringRef.get(), port.get());
    }

    /** What the guest wrote is not repeated: it might be anything. */
    private static @Nullable String linkFault(NodeAccess nodes, String frontend) throws IOException {
        if (!nodes.read(frontend + "/feature-protocol-v2").orElse("").equals("1")) {
            return "the guest's driver does not speak version 2 of the protocol";
        }
        return null;
    }

    /** A number of 32 bits without a sign. */
    private static Optional<Integer> number(NodeAccess nodes, String path) throws IOException {
        return nodes.read(path)
                .filter(text -> NUMBER.matcher(text).matches())
                .map(Long::parseLong)
                .filter(number -> number <= 0xFFFFFFFFL)
                .map(Long::intValue);
    }
}
