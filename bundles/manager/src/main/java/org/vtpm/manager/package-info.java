/** The manager: instance registry, life cycle, routing and supervision. Private to its bundle. */
@NullMarked
package org.vtpm.manager;

import org.jspecify.annotations.NullMarked;
