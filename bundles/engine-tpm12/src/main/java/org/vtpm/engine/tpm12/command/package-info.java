/** How a command runs: the command table, dispatch, authorisation and the transaction around it. */
@NullMarked
package org.vtpm.engine.tpm12.command;

import org.jspecify.annotations.NullMarked;
