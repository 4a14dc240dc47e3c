/** Which commands the suites sent to our TPM, and how that reaches the table of ordinals in {@code docs/tpm12.md}. */
@NullMarked
package org.vtpm.itests.tpm12.coverage;

import org.jspecify.annotations.NullMarked;
