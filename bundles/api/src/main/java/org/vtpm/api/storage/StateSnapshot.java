package org.vtpm.api.storage;

import java.time.Instant;

/**
 * State of an instance that was put by.
 *
 * @param name given by the operator
 * @param taken when
 */
public record StateSnapshot(String name, Instant taken) {}
