/** The root of trust on a TPM 1.2: against Debian's swtpm, and against our own engine in the place of a chip. */
package org.vtpm.itests.root12;
