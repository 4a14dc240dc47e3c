/** Instances, their life cycle and their guests: what listeners and the shell may know. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.manager;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
