/** A small TPM 1.2 client of our own: what the tests speak to any TPM with, ours or another's. */
@NullMarked
package org.vtpm.itests.tpm12;

import org.jspecify.annotations.NullMarked;
