/**
 * Instances' records and sealed state in a folder of files; the format is in docs/storage.md.
 *
 * <p>{@code StorageComponent} has {@code StorageOpener} open the folder. What is open is a {@code JournalStore}, on three things:
 * {@code Owners} says whose turn it is, {@code KeyedJournal} reads and commits, {@code ReplayGuard} knows how the journal stands
 * to its counter. On these stands one class for each thing that is done with it.
 */
@NullMarked
package org.vtpm.storage;

import org.jspecify.annotations.NullMarked;
