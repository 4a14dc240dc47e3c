package org.vtpm.itests.tpm12;

/**
 * One authorization of a command.
 *
 * @param secret the entity's secret; an OSAP session, bound to it already, does not look at it
 * @param continued whether the session shall stay open
 * @param spoiled whether one bit of the HMAC is turned, to see it refused
 */
public record Auth(Session session, byte[] secret, boolean continued, boolean spoiled) {
    /** Authorizes one command and ends the session. */
    public static Auth once(Session session, byte[] secret) {
        return new Auth(session, secret, false, false);
    }

    /** Authorizes one command in a session that goes on. */
    public static Auth continued(Session session, byte[] secret) {
        return new Auth(session, secret, true, false);
    }

    /** Authorizes one command wrongly. */
    public static Auth wrong(Session session, byte[] secret) {
        return new Auth(session, secret, false, true);
    }
}
