/** The transport without a channel: the caller's thread runs the engine. */
@NullMarked
package org.vtpm.transport.loopback;

import org.jspecify.annotations.NullMarked;
