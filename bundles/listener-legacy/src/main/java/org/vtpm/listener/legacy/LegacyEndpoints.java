package org.vtpm.listener.legacy;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.service.component.annotations.Component;
import org.vtpm.api.manager.EndpointHandler;
import org.vtpm.api.manager.GuestChannel;

/**
 * Knows which instance has which legacy number. Apart from the listener itself, because the manager needs this service
 * and the listener needs the manager.
 */
@Component(service = {EndpointHandler.class, LegacyEndpoints.class})
public final class LegacyEndpoints implements EndpointHandler {
    static final String SCHEME = "legacy";

    /** Number 0 is the host itself, and the kernel's backend gives -1 to a guest without a number. */
    static final long MAX_NUMBER = 0xFFFFFFFEL;

    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,9}");

    private final Map<Long, GuestChannel> channels = new ConcurrentHashMap<>();

    /** The endpoint of a legacy instance number. */
    static URI endpoint(long number) {
        return URI.create(SCHEME + ":" + number);
    }

    /** The running instance that has this number. */
    Optional<GuestChannel> channel(long number) {
        return Optional.ofNullable(channels.get(number));
    }

    @Override
    public Set<String> schemes() {
        return Set.of(SCHEME);
    }

    @Override
    public void check(URI endpoint) {
        number(endpoint);
    }

    @Override
    public void open(URI endpoint, GuestChannel channel) throws IOException {
        if (channels.putIfAbsent(number(endpoint), channel) != null) {
            throw new IOException("it is already served");
        }
    }

    @Override
    public void close(URI endpoint) {
        channels.remove(number(endpoint));
    }

    private static long number(URI endpoint) {
        Matcher syntax = NUMBER.matcher(endpoint.getRawSchemeSpecificPart());
        if (SCHEME.equals(endpoint.getScheme()) && endpoint.getRawFragment() == null && syntax.matches()) {
            long number = Long.parseLong(syntax.group());
            if (number <= MAX_NUMBER) {
                return number;
            }
        }
        throw new IllegalArgumentException("Cannot serve '" + endpoint + "': an instance number between 1 and "
                + MAX_NUMBER + " must follow legacy:. Give an address such as legacy:1.");
    }
}
