package org.vtpm.engine.tpm12.structure;

/** TPM_PUBKEY (TPM Main Part 2, section 10.5). */
public record Pubkey(KeyParms algorithmParms, StorePubkey pubKey) {}
