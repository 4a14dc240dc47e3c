/** The transport over named pipes: to engines in this JVM and to {@code vtpmd} processes. */
@NullMarked
package org.vtpm.transport.fifo;

import org.jspecify.annotations.NullMarked;
