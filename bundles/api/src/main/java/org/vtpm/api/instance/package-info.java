/** What is remembered of an instance besides the state of its TPM. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.instance;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
