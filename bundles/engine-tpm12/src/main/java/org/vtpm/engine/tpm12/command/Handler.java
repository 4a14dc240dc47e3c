package org.vtpm.engine.tpm12.command;

/**
 * Carries out one command.
 *
 * @param <Q> the request: handles and parameters, without header and authorisation blocks
 */
@FunctionalInterface
public interface Handler<Q extends Record> {
    /**
     * Checks authorisations, then acts on the transaction. The mode checks of the command table, tag and length are
     * done before; nothing that it changes stays when it throws, except {@link Transaction#stick}.
     *
     * @return the response's parameters
     * @throws org.vtpm.tpm12.structure.TpmException to end the command with another code than TPM_SUCCESS
     */
    Record handle(Transaction tx, Q request);
}
