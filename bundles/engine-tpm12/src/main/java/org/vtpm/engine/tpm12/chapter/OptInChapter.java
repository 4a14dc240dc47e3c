package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Fixed;
import org.vtpm.engine.tpm12.command.Authorizations;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.PermanentFlags.Flag;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.tpm12.structure.ReturnCode;

/** Admin opt-in (TPM Main Part 3, section 5): enabling, activating, and allowing an owner. */
public final class OptInChapter implements Chapter {
    record Switch(boolean state) {}

    record SetOperatorAuth(@Fixed(20) byte[] operatorAuth) {}

    @Override
    public void register(Handlers handlers) {
        handlers.on("SetOwnerInstall", Switch.class, OptInChapter::setOwnerInstall);
        handlers.on("OwnerSetDisable", Switch.class, OptInChapter::ownerSetDisable);
        handlers.on("PhysicalEnable", NoParameters.class, (tx, request) -> set(tx, Flag.DISABLE, false));
        handlers.on("PhysicalDisable", NoParameters.class, (tx, request) -> set(tx, Flag.DISABLE, true));
        handlers.on(
                "PhysicalSetDeactivated", Switch.class, (tx, request) -> set(tx, Flag.DEACTIVATED, request.state()));
        handlers.on("SetTempDeactivated", NoParameters.class, OptInChapter::setTempDeactivated);
        handlers.on("SetOperatorAuth", SetOperatorAuth.class, OptInChapter::setOperatorAuth);
    }

    private static Record setOwnerInstall(Transaction tx, Switch request) {
        if (tx.permanent().owner() != null) {
            return NoParameters.NONE;
        }
        require(tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
        return set(tx, Flag.OWNERSHIP, request.state());
    }

    private static Record ownerSetDisable(Transaction tx, Switch request) {
        tx.authorizations().verifyOwner();
        return set(tx, Flag.DISABLE, request.state());
    }

    private static Record setTempDeactivated(Transaction tx, NoParameters request) {
        Authorizations authorizations = tx.authorizations();
        if (authorizations.count() == 0) {
            require(tx.physicalPresence(), ReturnCode.BAD_PRESENCE);
        } else {
            require(tx.is(Flag.OPERATOR), ReturnCode.NOOPERATOR);
            authorizations.requireProtocol(0, Session.OIAP);
            authorizations.verify(0, Entity.OPERATOR, tx.permanent().operatorAuth());
        }
        tx.set(StClearFlags.Flag.DEACTIVATED, true);
        return NoParameters.NONE;
    }

    private static Record setOperatorAuth(Transaction tx, SetOperatorAuth request) {
        tx.permanent(tx.permanent().withOperatorAuth(request.operatorAuth()));
        return set(tx, Flag.OPERATOR, true);
    }

    private static Record set(Transaction tx, Flag flag, boolean value) {
        tx.set(flag, value);
        return NoParameters.NONE;
    }
}
