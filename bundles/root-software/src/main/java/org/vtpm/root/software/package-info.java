/** A root of trust for development: a key in a file, which protects nothing. */
@NullMarked
package org.vtpm.root.software;

import org.jspecify.annotations.NullMarked;
