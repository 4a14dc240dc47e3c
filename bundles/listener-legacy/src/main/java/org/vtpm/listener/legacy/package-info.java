/** Serves instances as the Xen 3.x vTPM manager did: its dummy backend and its hotplug console, as named pipes. */
@NullMarked
package org.vtpm.listener.legacy;

import org.jspecify.annotations.NullMarked;
