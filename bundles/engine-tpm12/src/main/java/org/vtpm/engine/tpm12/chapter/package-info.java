/** The commands, one class for each chapter of TPM Main Part 3. */
@NullMarked
package org.vtpm.engine.tpm12.chapter;

import org.jspecify.annotations.NullMarked;
