package org.vtpm.listener.xen;

import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.TpmFamily;

/**
 * What an operator decided about this listener.
 *
 * @param createUnknown whether a guest whose uuid no instance has gets a new instance
 * @param stubdoms the TPMs that run in domains of their own
 * @param family the family of such an instance
 * @param maxLocality the highest locality that a guest may claim
 * @param eventsPerSecond how many events without a request a guest may send
 */
record Settings(boolean createUnknown, Set<UUID> stubdoms, TpmFamily family, int maxLocality, int eventsPerSecond) {
    private static final int LOCALITY_LIMIT = 4;

    Settings {
        stubdoms = Set.copyOf(stubdoms);
        if (maxLocality < 0 || maxLocality > LOCALITY_LIMIT) {
            throw new IllegalArgumentException("max.locality is " + maxLocality + " in " + XenListener.PID
                    + ": set it to 0 to " + LOCALITY_LIMIT + ".");
        }
        if (eventsPerSecond < 1) {
            throw new IllegalArgumentException(
                    "events.per.second is " + eventsPerSecond + " in " + XenListener.PID + ": set it to 1 or more.");
        }
    }

    static Settings of(XenListenerConfig config) {
        return new Settings(
                create(config.unknown()),
                stubdoms(config.stubdoms()),
                family(config.family()),
                config.max_locality(),
                config.events_per_second());
    }

    /** Whether a device with this uuid belongs to a domain that is a TPM itself. */
    boolean isStubdom(@Nullable UUID tpm) {
        return tpm != null && stubdoms.contains(tpm);
    }

    private static Set<UUID> stubdoms(String list) {
        return Arrays.stream(list.split(","))
                .map(String::strip)
                .filter(word -> !word.isEmpty())
                .map(word -> NodeReader.uuid(word)
                        .orElseThrow(() -> new IllegalArgumentException("stubdoms has '" + word + "' in "
                                + XenListener.PID + ": give UUIDs, separated by commas.")))
                .collect(Collectors.toSet());
    }

    private static boolean create(String unknown) {
        return switch (unknown.strip().toLowerCase(Locale.ROOT)) {
            case "create" -> true;
            case "refuse" -> false;
            default ->
                throw new IllegalArgumentException(
                        "unknown is '" + unknown + "' in " + XenListener.PID + ": set it to create or refuse.");
        };
    }

    private static TpmFamily family(String label) {
        return Arrays.stream(TpmFamily.values())
                .filter(family -> family.label().equals(label.strip()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("family is '" + label + "' in " + XenListener.PID
                        + ": set it to "
                        + Arrays.stream(TpmFamily.values())
                                .map(TpmFamily::label)
                                .collect(Collectors.joining(" or "))
                        + "."));
    }
}
