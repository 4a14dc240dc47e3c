/** A TPM 1.2 (TPM Main Specification, revision 116): commands and state in, responses and state out. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.engine.tpm12;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
