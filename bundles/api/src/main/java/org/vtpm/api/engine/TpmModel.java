package org.vtpm.api.engine;

/**
 * Who made a TPM, and to which specification: what an endorsement credential says of it (TCG Credential Profiles for TPM
 * Family 1.2).
 *
 * @param manufacturer vendor ID, four ASCII characters as a big-endian number (TPM_CAP_PROP_MANUFACTURER)
 * @param model the manufacturer's name of the part
 * @param version the part's firmware version, major number in the upper 16 bits
 * @param family of the specification
 * @param level of the specification
 * @param revision of the specification
 */
public record TpmModel(int manufacturer, String model, int version, TpmFamily family, int level, int revision) {}
