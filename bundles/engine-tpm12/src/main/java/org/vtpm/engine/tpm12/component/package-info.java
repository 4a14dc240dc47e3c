/** The engine factory as an OSGi service. */
@NullMarked
package org.vtpm.engine.tpm12.component;

import org.jspecify.annotations.NullMarked;
