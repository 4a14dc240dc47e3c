/** TPMs that move here from swtpm: what they had there, and have here. */
@NullMarked
package org.vtpm.itests.imported;

import org.jspecify.annotations.NullMarked;
