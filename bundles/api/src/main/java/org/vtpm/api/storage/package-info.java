/** Sealed state of every instance; the only way to the disk. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.storage;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
