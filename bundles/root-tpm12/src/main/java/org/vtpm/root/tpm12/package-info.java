/** A root of trust that is the host's TPM 1.2. */
@NullMarked
package org.vtpm.root.tpm12;

import org.jspecify.annotations.NullMarked;
