/** What a TPM remembers, as three trees of immutable records told apart by how long they live. */
@NullMarked
package org.vtpm.engine.tpm12.state;

import org.jspecify.annotations.NullMarked;
