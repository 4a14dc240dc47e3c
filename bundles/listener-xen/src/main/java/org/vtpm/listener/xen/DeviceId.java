package org.vtpm.listener.xen;

import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One TPM device of one domain.
 *
 * @param domain the guest's domain id
 * @param device its number in the guest
 */
record DeviceId(int domain, int device) implements Comparable<DeviceId> {
    static final String SCHEME = "xen";

    /** Where the toolstack puts the devices that dom0 serves; only dom0 can write there. */
    static final String BACKENDS = "/local/domain/0/backend/vtpm";

    /** {@code DOMID_FIRST_RESERVED}: no guest has this one or a higher one. */
    private static final int DOMAIN_LIMIT = 0x7FF0;

    private static final Pattern ENDPOINT = Pattern.compile("(0|[1-9][0-9]{0,4})/(0|[1-9][0-9]{0,8})");

    /** The device of an endpoint's address, or nothing if it is none. */
    static Optional<DeviceId> of(URI endpoint) {
        if (!SCHEME.equals(endpoint.getScheme()) || endpoint.getRawFragment() != null) {
            return Optional.empty();
        }
        return parse(endpoint.getRawSchemeSpecificPart());
    }

    /** The device in the form DOMAIN/DEVICE. */
    static Optional<DeviceId> parse(String text) {
        Matcher parts = ENDPOINT.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        int domain = Integer.parseInt(parts.group(1));
        return domain == 0 || domain >= DOMAIN_LIMIT
                ? Optional.empty()
                : Optional.of(new DeviceId(domain, Integer.parseInt(parts.group(2))));
    }

    URI endpoint() {
        return URI.create(SCHEME + ":" + domain + "/" + device);
    }

    /** The folder of the backend, which only dom0 can write. */
    String backend() {
        return BACKENDS + "/" + domain + "/" + device;
    }

    /** The folder of the frontend, where the guest can write what it likes. */
    String frontend() {
        return domainFolder() + "/device/vtpm/" + device;
    }

    /** The domain's folder; the guest can write in some of those beneath it. */
    String domainFolder() {
        return "/local/domain/" + domain;
    }

    /** Where a backend tells why it failed, as kernels do. */
    String errors() {
        return "/local/domain/0/error/backend/vtpm/" + domain + "/" + device;
    }

    @Override
    public int compareTo(DeviceId other) {
        return domain != other.domain ? Integer.compare(domain, other.domain) : Integer.compare(device, other.device);
    }

    @Override
    public String toString() {
        return endpoint().toString();
    }
}
