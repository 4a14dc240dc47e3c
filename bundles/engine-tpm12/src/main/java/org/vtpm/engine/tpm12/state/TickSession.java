package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.Fixed;

/**
 * What timing ticks are counted from (TPM Main Part 1, section 20). A session begins with the power and ends with it: a
 * verifier that knows the time of one tick knows that of others with the same nonce, and of no more.
 *
 * @param startNanos when the count was zero, on the engine's clock
 * @param nonce tells this session from all others
 */
public record TickSession(long startNanos, @Fixed(20) byte[] nonce) {}
