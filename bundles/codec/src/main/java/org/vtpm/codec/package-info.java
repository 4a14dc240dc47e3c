/** Declarative big-endian structures: a Java record is the layout, its encoder and decoder are derived from it. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.codec;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
