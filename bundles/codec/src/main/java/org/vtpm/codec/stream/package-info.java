/** Finding whole TPM commands in a stream of bytes. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.codec.stream;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
