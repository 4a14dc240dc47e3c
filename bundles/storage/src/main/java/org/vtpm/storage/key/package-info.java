/** The keys that storage seals with: the host's secret and who opens it, the ring of wrapping keys, recovery keys. */
@NullMarked
package org.vtpm.storage.key;

import org.jspecify.annotations.NullMarked;
