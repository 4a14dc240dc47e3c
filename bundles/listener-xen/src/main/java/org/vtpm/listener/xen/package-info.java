/** Serves the guests of a Xen host: the backend of Xen's TPM device, protocol version 2, in the host's user space. */
@NullMarked
package org.vtpm.listener.xen;

import org.jspecify.annotations.NullMarked;
