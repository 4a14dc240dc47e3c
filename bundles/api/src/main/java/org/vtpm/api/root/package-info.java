/** What releases the host's secret: a TPM, or for development a file. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.root;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
