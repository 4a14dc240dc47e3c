/** Reads the state that other programs keep for their TPMs, so that a TPM can move here. */
@NullMarked
package org.vtpm.engine.tpm12.foreign;

import org.jspecify.annotations.NullMarked;
