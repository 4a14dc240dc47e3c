/** Who vouches for the endorsement keys of TPMs. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.endorsement;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
