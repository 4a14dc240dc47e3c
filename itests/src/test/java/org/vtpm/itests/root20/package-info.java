/** The root of trust on a TPM 2.0 against Debian's swtpm and tpm2-tools, with somebody on the wire between. */
package org.vtpm.itests.root20;
