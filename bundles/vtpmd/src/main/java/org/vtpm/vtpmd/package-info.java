/** One virtual TPM as a process of its own: a plain {@code main}, no OSGi. */
@NullMarked
package org.vtpm.vtpmd;

import org.jspecify.annotations.NullMarked;
