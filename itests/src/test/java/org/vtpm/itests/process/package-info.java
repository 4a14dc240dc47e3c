/** Tests of the product as its users run it: as a process, with real clients, killed and given garbage. */
@NullMarked
package org.vtpm.itests.process;

import org.jspecify.annotations.NullMarked;
