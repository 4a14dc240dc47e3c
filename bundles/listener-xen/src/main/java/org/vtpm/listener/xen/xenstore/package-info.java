/** XenStore over its wire protocol (Xen's {@code docs/misc/xenstore.txt} and {@code xen/io/xs_wire.h}). */
@NullMarked
package org.vtpm.listener.xen.xenstore;

import org.jspecify.annotations.NullMarked;
