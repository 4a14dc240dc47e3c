/** The structures and numbers of TPM Main Part 2, as records. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.tpm12.structure;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
