/** The {@code vtpm:*} commands of the Karaf shell. They call the services of the manager and the storage, and nothing else. */
@NullMarked
package org.vtpm.shell;

import org.jspecify.annotations.NullMarked;
