/** What measures the product. Prints numbers and judges none. */
@NullMarked
package org.vtpm.benchmarks;

import org.jspecify.annotations.NullMarked;
