package org.vtpm.manager;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * The services of one kind that are there now, best first: the highest {@code service.ranking}, among equals the one that
 * was registered first (OSGi Core, section 5.2.5).
 */
final class Ranked<T> {
    private record Entry<T>(T service, int ranking, long id) {}

    private final CopyOnWriteArrayList<Entry<T>> entries = new CopyOnWriteArrayList<>();

    synchronized void add(T service, Map<String, ?> properties) {
        int ranking = properties.get("service.ranking") instanceof Integer i ? i : 0;
        long id = properties.get("service.id") instanceof Long l ? l : Long.MAX_VALUE;
        entries.add(new Entry<>(service, ranking, id));
        entries.sort(Comparator.comparingInt((Entry<T> e) -> -e.ranking()).thenComparingLong(Entry::id));
    }

    synchronized void remove(T service) {
        entries.removeIf(e -> e.service() == service);
    }

    Optional<T> first(Predicate<T> wanted) {
        return entries.stream().map(Entry::service).filter(wanted).findFirst();
    }

    List<T> all() {
        return entries.stream().map(Entry::service).toList();
    }
}
