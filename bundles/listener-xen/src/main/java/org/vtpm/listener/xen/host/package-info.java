/** Event channels and granted pages: Xen's devices in {@code /dev/xen}. */
@NullMarked
package org.vtpm.listener.xen.host;

import org.jspecify.annotations.NullMarked;
