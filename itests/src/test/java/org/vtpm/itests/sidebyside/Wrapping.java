package org.vtpm.itests.sidebyside;

import java.util.List;
import java.util.stream.Stream;
import org.vtpm.itests.tpm12.TransportChannel;
import org.vtpm.itests.tpm12.TransportChannel.Kind;
import org.vtpm.itests.tpm12.TransportChannel.Scheme;

/** The kinds of transport sessions that commands are wrapped in. */
final class Wrapping {
    static final Kind LOGGED = new Kind(Scheme.PLAIN, TransportChannel.LOG);

    private static final List<Kind> OTHERS = List.of(
            new Kind(Scheme.MGF1, 0),
            new Kind(Scheme.CTR, TransportChannel.LOG),
            new Kind(Scheme.OFB, TransportChannel.LOG | TransportChannel.EXCLUSIVE),
            new Kind(Scheme.PLAIN, TransportChannel.EXCLUSIVE),
            new Kind(Scheme.PLAIN, 0));

    private Wrapping() {}

    static List<Kind> all() {
        return Stream.concat(Stream.of(LOGGED), OTHERS.stream()).toList();
    }

    /** Two of them: one that logs in the open, and another one for each request. */
    static List<Kind> two(Request request) {
        return List.of(LOGGED, other(request));
    }

    /** One that is not always the same. */
    static Kind other(Request request) {
        return OTHERS.get(Math.floorMod(request.label().hashCode(), OTHERS.size()));
    }
}
