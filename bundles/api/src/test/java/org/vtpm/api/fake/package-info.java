/** Stands in for services in the tests of the bundles that use them. Part of no bundle. */
@NullMarked
package org.vtpm.api.fake;

import org.jspecify.annotations.NullMarked;
