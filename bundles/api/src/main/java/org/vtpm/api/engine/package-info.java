/** The TPM itself: command bytes in, response bytes out, state in and out. Knows nothing of guests, files or OSGi. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.engine;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
