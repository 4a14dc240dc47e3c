/** The guests of a Xen host: what the shell may know of them. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.xen;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
