/** The channel between the manager and an engine, in this JVM or in a process of its own. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.transport;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
