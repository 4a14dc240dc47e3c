/** The {@code vtpm:*} commands of the Karaf shell. They call the manager's service and nothing else. */
@NullMarked
package org.vtpm.shell;

import org.jspecify.annotations.NullMarked;
