/** The structures and numbers of TPM Main Part 2, as records. */
@NullMarked
package org.vtpm.engine.tpm12.structure;

import org.jspecify.annotations.NullMarked;
