/** Instances' records and sealed state in a folder of files; the format is in docs/storage.md. */
@NullMarked
package org.vtpm.storage;

import org.jspecify.annotations.NullMarked;
