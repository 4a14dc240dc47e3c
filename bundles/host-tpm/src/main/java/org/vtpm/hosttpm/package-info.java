/** The way to the host's own TPM, of either family: commands out, responses back, one user at a time. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.hosttpm;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
