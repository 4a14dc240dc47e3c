/** The page that a guest shares with its TPM (Xen's {@code xen/io/tpmif.h}, version 2): no threads, no Xen. */
@NullMarked
package org.vtpm.listener.xen.ring;

import org.jspecify.annotations.NullMarked;
