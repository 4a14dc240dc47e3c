/**
 * A journal: a durable map that notices every change to its files but the cutting off of their end. The format is in
 * docs/journal.md.
 */
@NullMarked
package org.vtpm.storage.journal;

import org.jspecify.annotations.NullMarked;
