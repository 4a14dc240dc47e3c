package org.vtpm.itests.sidebyside;

/**
 * A request and what came back.
 *
 * @param request in hex; empty for what is no request. Handles and nonces make it differ between two TPMs
 * @param answer what of the answer has to be the same on both
 */
record Exchange(String request, String answer) {}
