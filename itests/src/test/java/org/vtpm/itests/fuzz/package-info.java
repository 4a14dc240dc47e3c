/** Fuzzing: a coverage-guided search for input that the engine does not stand. {@code FuzzIT} runs it. */
@NullMarked
package org.vtpm.itests.fuzz;

import org.jspecify.annotations.NullMarked;
