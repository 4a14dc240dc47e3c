/** Serves instances to guests as swtpm does: raw TPM commands over TCP and UNIX sockets. */
@NullMarked
package org.vtpm.listener.swtpm;

import org.jspecify.annotations.NullMarked;
