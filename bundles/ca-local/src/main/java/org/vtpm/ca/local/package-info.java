/** The host's own certification authority for endorsement keys. */
@NullMarked
package org.vtpm.ca.local;

import org.jspecify.annotations.NullMarked;
