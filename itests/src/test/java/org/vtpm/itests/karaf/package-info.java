/** Tests inside a container that is started from the real assembly, by Pax Exam. */
@NullMarked
package org.vtpm.itests.karaf;

import org.jspecify.annotations.NullMarked;
