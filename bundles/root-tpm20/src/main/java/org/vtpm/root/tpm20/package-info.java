/** A root of trust that is the host's TPM 2.0. */
@NullMarked
package org.vtpm.root.tpm20;

import org.jspecify.annotations.NullMarked;
