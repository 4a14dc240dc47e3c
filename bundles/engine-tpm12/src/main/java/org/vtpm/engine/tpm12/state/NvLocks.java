package org.vtpm.engine.tpm12.state;

/**
 * The locks of an NV area that TPM_Startup(ST_CLEAR) releases.
 *
 * @param read bReadSTClear
 * @param write bWriteSTClear
 */
public record NvLocks(int nvIndex, boolean read, boolean write) {}
