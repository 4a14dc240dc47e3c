/** What storage needs of a file system, and the host's own. */
@NullMarked
package org.vtpm.storage.disk;

import org.jspecify.annotations.NullMarked;
