/** Our TPM 1.2 beside Debian's swtpm: the same requests to both, and the same answers expected. */
@NullMarked
package org.vtpm.itests.sidebyside;

import org.jspecify.annotations.NullMarked;
