/** Big-number arithmetic as a service, so that a native library can stand in for the JDK's while guests run. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.api.bignum;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
