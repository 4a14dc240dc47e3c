package org.vtpm.api.manager;

/**
 * The certification authority for endorsement keys.
 *
 * @param name what it calls itself
 * @param issues whether new instances get certificates of it
 * @param certificate its own, which verifiers have to trust: the DER of an X.509 certificate
 */
public record AuthorityInfo(String name, boolean issues, byte[] certificate) {}
