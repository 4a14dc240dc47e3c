package org.vtpm.api.storage;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.Examination;

/**
 * A root of trust as an operator sees it.
 *
 * @param name of the root
 * @param place where it is; empty if it is not there
 * @param present whether its bundle offers it
 * @param developmentOnly whether it protects nothing from who reads the disk
 * @param enrolled whether it holds the host's secret
 * @param earlier whether it keeps an earlier seal until the latest one opens
 * @param examination what it says of the latest seal, if it is there and enrolled
 * @param anchor value of the hardware counter in it that anchors the storage, if there is one and it can be read
 */
public record RootStatus(
        String name,
        String place,
        boolean present,
        boolean developmentOnly,
        boolean enrolled,
        boolean earlier,
        @Nullable Examination examination,
        OptionalLong anchor) {}
