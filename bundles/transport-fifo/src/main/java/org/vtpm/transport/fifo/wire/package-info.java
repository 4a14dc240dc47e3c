/**
 * The messages on a pair of pipes, for both of their ends: needs nothing but the JDK, so that {@code vtpmd} can use it on
 * a plain class path. The format is written down in {@code docs/fifo-wire.md}.
 */
@NullMarked
package org.vtpm.transport.fifo.wire;

import org.jspecify.annotations.NullMarked;
