package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.U16;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearState;
import org.vtpm.tpm12.session.Authorization;
import org.vtpm.tpm12.structure.Adip;
import org.vtpm.tpm12.structure.DelegateBlob;
import org.vtpm.tpm12.structure.DelegatePublic;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.ResourceType;
import org.vtpm.tpm12.structure.ReturnCode;
import org.vtpm.tpm12.structure.TpmException;

/** Authorisation sessions (TPM Main Part 3, section 18). */
public final class SessionChapter implements Chapter {
    record OiapSession(int authHandle, @Fixed(20) byte[] nonceEven) {}

    record Osap(
            @U16 int entityType, int entityValue, @Fixed(20) byte[] nonceOddOsap) {}

    record OsapSession(
            int authHandle,
            @Fixed(20) byte[] nonceEven,
            @Fixed(20) byte[] nonceEvenOsap) {}

    record Dsap(
            @U16 int entityType,
            int keyHandle,
            @Fixed(20) byte[] nonceOddDsap,
            @Sized byte[] entityValue) {}

    record SetOwnerPointer(@U16 int entityType, int entityValue) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("OIAP", NoParameters.class, SessionChapter::oiap);
        handlers.on("OSAP", Osap.class, SessionChapter::osap);
        handlers.on("Reset", NoParameters.class, SessionChapter::reset);
        handlers.on("DSAP", Dsap.class, SessionChapter::dsap);
        handlers.on("SetOwnerPointer", SetOwnerPointer.class, SessionChapter::setOwnerPointer);
    }

    private static Record oiap(Transaction tx, NoParameters request) {
        Session session = open(tx, Session.OIAP, Adip.XOR, Entity.NONE, new byte[Sha1.LENGTH], null);
        return new OiapSession(session.handle(), session.nonceEven());
    }

    private static Record osap(Transaction tx, Osap request) {
        int adip = request.entityType() >> 8;
        require(adip == Adip.XOR || adip == Adip.AES128_CTR, ReturnCode.INAPPROPRIATE_ENC);
        Target target = Target.find(tx, request.entityType() & 0xFF, request.entityValue());
        return open(tx, adip, target, request.nonceOddOsap());
    }

    /** Ends all authorisation sessions (TPM Main Part 3, section 28.2); keys, PCRs and flags stay. */
    private static Record reset(Transaction tx, NoParameters request) {
        tx.stClear(tx.stClear().withoutSessions(session -> true));
        return NoParameters.NONE;
    }

    private static Record dsap(Transaction tx, Dsap request) {
        int type = request.entityType() & 0xFF;
        Target target = switch (type) {
            case EntityType.DELEGATE_ROW -> Target.of(Delegation.valid(tx, row(request.entityValue())));
            case EntityType.DELEGATE_OWNER_BLOB, EntityType.DELEGATE_KEY_BLOB ->
                Target.of(tx, blob(type, request.entityValue()), request.keyHandle());
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
        require(tx.stClear().sessions().size() < StClearState.MAX_SESSIONS, ReturnCode.RESOURCES);
        int adip = request.entityType() >> 8;
        require(adip == Adip.XOR || adip == Adip.AES128_CTR, ReturnCode.INAPPROPRIATE_ENC);
        return open(tx, adip, target, request.nonceOddDsap());
    }

    private static int row(byte[] entityValue) {
        require(entityValue.length == Integer.BYTES, ReturnCode.BAD_PARAM_SIZE);
        return new BigInteger(entityValue).intValue();
    }

    private static DelegateBlob blob(int type, byte[] entityValue) {
        DelegateBlob blob;
        try {
            blob = DelegationBlobs.parse(entityValue);
        } catch (TpmException e) {
            throw new TpmException(ReturnCode.WRONG_ENTITYTYPE);
        }
        require(
                blob instanceof DelegateBlob.KeyBlob == (type == EntityType.DELEGATE_KEY_BLOB),
                ReturnCode.WRONG_ENTITYTYPE);
        return blob;
    }

    /** From now on a delegation's secret stands for the owner's, where software does not know of delegation. */
    private static Record setOwnerPointer(Transaction tx, SetOwnerPointer request) {
        int reference = switch (request.entityType()) {
            case EntityType.OWNER -> Handles.OWNER;
            case EntityType.DELEGATE_ROW ->
                Delegation.valid(tx, request.entityValue()).row();
            default -> throw new TpmException(ReturnCode.BAD_PARAMETER);
        };
        tx.stClear(tx.stClear().withOwnerReference(reference));
        return NoParameters.NONE;
    }

    /** Opens a session that is bound to something. */
    private static Record open(Transaction tx, int adip, Target target, byte[] nonceOdd) {
        byte[] nonceEven = tx.environment().random(Sha1.LENGTH);
        byte[] sharedSecret = Authorization.sharedSecret(target.secret(), nonceEven, nonceOdd);
        int protocol = target.delegation() == null ? Session.OSAP : Session.DSAP;
        Session session = open(tx, protocol, adip, target.entity(), sharedSecret, target.delegation());
        return new OsapSession(session.handle(), session.nonceEven(), nonceEven);
    }

    private static Session open(
            Transaction tx,
            int protocol,
            int adip,
            Entity entity,
            byte[] sharedSecret,
            @Nullable DelegatePublic delegation) {
        StClearState state = tx.stClear();
        require(state.sessions().size() < StClearState.MAX_SESSIONS, ReturnCode.RESOURCES);
        Session session = new Session(
                freeHandle(tx), protocol, adip, entity, tx.environment().random(Sha1.LENGTH), sharedSecret, delegation);
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
