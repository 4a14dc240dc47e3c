/** What both sides of an authorization session compute (TPM Main Part 1, sections 8 and 13). */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.tpm12.session;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
