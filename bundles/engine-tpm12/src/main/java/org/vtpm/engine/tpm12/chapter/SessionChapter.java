package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.engine.tpm12.structure.TpmException.require;

import org.vtpm.codec.Fixed;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.engine.tpm12.structure.Adip;
import org.vtpm.engine.tpm12.structure.ResourceType;
import org.vtpm.engine.tpm12.structure.ReturnCode;

/** Authorisation sessions (TPM Main Part 3, section 18). */
public final class SessionChapter implements Chapter {
    record OiapSession(int authHandle, @Fixed(20) byte[] nonceEven) {}

    record Osap(
            @U16 int entityType, int entityValue, @Fixed(20) byte[] nonceOddOsap) {}

    record OsapSession(
            int authHandle,
            @Fixed(20) byte[] nonceEven,
            @Fixed(20) byte[] nonceEvenOsap) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("OIAP", NoParameters.class, SessionChapter::oiap);
        handlers.on("OSAP", Osap.class, SessionChapter::osap);
        handlers.on("Reset", NoParameters.class, SessionChapter::reset);
    }

    private static Record oiap(Transaction tx, NoParameters request) {
        Session session = open(tx, Session.OIAP, Adip.XOR, Entity.NONE, new byte[Sha1.LENGTH]);
        return new OiapSession(session.handle(), session.nonceEven());
    }

    private static Record osap(Transaction tx, Osap request) {
        int adip = request.entityType() >> 8;
        require(adip == Adip.XOR || adip == Adip.AES128_CTR, ReturnCode.INAPPROPRIATE_ENC);
        Target target = Target.find(tx, request.entityType() & 0xFF, request.entityValue());
        byte[] nonceEvenOsap = tx.environment().random(Sha1.LENGTH);
        byte[] sharedSecret = Hmac.sha1(target.secret(), nonceEvenOsap, request.nonceOddOsap());
        Session session = open(tx, Session.OSAP, adip, target.entity(), sharedSecret);
        return new OsapSession(session.handle(), session.nonceEven(), nonceEvenOsap);
    }

    /** Ends all authorisation sessions (section 28.6); what TPM_SaveContext made stays good, as the section demands. */
    private static Record reset(Transaction tx, NoParameters request) {
        tx.stClear(tx.stClear().withoutSessions(session -> true));
        return NoParameters.NONE;
    }

    private static Session open(Transaction tx, int protocol, int adip, Entity entity, byte[] sharedSecret) {
        StClearState state = tx.stClear();
        require(state.sessions().size() < StClearState.MAX_SESSIONS, ReturnCode.RESOURCES);
        Session session = new Session(
                freeHandle(tx), protocol, adip, entity, tx.environment().random(Sha1.LENGTH), sharedSecret);
        tx.stClear(state.withSession(session));
        return session;
    }

    /** A handle that no session has. */
    static int freeHandle(Transaction tx) {
        int handle;
        do {
            handle = (ResourceType.AUTH << 24) | tx.environment().random().nextInt(1 << 24);
        } while (tx.stClear().session(handle) != null);
        return handle;
    }
}
