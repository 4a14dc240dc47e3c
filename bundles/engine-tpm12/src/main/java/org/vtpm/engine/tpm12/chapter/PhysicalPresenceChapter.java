package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.U16;
import org.vtpm.engine.tpm12.command.Chapter;
import org.vtpm.engine.tpm12.command.Handlers;
import org.vtpm.engine.tpm12.command.NoParameters;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.engine.tpm12.state.PermanentFlags.Flag;
import org.vtpm.engine.tpm12.state.StClearFlags;
import org.vtpm.tpm12.structure.ReturnCode;

/** The commands of the platform's firmware (TPM Main Part 3, sections 6.6 and 6.7). */
public final class PhysicalPresenceChapter implements Chapter {
    // TPM_PHYSICAL_PRESENCE (TPM Main Part 2, section 4.9): first what lasts, then what is asserted now.
    private static final int HW_DISABLE = 0x0200;
    private static final int CMD_DISABLE = 0x0100;
    private static final int LIFETIME_LOCK = 0x0080;
    private static final int HW_ENABLE = 0x0040;
    private static final int CMD_ENABLE = 0x0020;
    private static final int LIFETIME = HW_DISABLE | CMD_DISABLE | LIFETIME_LOCK | HW_ENABLE | CMD_ENABLE;
    private static final int NOTPRESENT = 0x0010;
    private static final int PRESENT = 0x0008;
    private static final int LOCK = 0x0004;
    private static final int ASSERTION = NOTPRESENT | PRESENT | LOCK;

    record PhysicalPresence(@U16 int physicalPresence) {
        boolean has(int bits) {
            return (physicalPresence & bits) == bits;
        }
    }

    @Override
    public void register(Handlers handlers) {
        handlers.on("TSC_PhysicalPresence", PhysicalPresence.class, PhysicalPresenceChapter::physicalPresence);
        handlers.on("TSC_ResetEstablishmentBit", NoParameters.class, PhysicalPresenceChapter::resetEstablishmentBit);
    }

    private static Record physicalPresence(Transaction tx, PhysicalPresence request) {
        int bits = request.physicalPresence();
        boolean lifetime = (bits & LIFETIME) != 0;
        boolean assertion = (bits & ASSERTION) != 0;
        require(lifetime != assertion && (bits & ~(LIFETIME | ASSERTION)) == 0, ReturnCode.BAD_PARAMETER);
        if (lifetime) {
            configure(tx, request);
        } else {
            assertPresence(tx, request);
        }
        return NoParameters.NONE;
    }

    private static void configure(Transaction tx, PhysicalPresence request) {
        boolean contradiction = request.has(HW_ENABLE | HW_DISABLE) || request.has(CMD_ENABLE | CMD_DISABLE);
        require(!tx.is(Flag.PHYSICAL_PRESENCE_LIFETIME_LOCK) && !contradiction, ReturnCode.BAD_PARAMETER);
        if (request.has(HW_ENABLE) || request.has(HW_DISABLE)) {
            tx.set(Flag.PHYSICAL_PRESENCE_HW_ENABLE, request.has(HW_ENABLE));
        }
        if (request.has(CMD_ENABLE) || request.has(CMD_DISABLE)) {
            tx.set(Flag.PHYSICAL_PRESENCE_CMD_ENABLE, request.has(CMD_ENABLE));
        }
        if (request.has(LIFETIME_LOCK)) {
            tx.set(Flag.PHYSICAL_PRESENCE_LIFETIME_LOCK, true);
        }
    }

    private static void assertPresence(Transaction tx, PhysicalPresence request) {
        boolean contradiction = request.has(PRESENT | LOCK) || request.has(PRESENT | NOTPRESENT);
        require(
                tx.is(Flag.PHYSICAL_PRESENCE_CMD_ENABLE)
                        && !tx.is(StClearFlags.Flag.PHYSICAL_PRESENCE_LOCK)
                        && !contradiction,
                ReturnCode.BAD_PARAMETER);
        tx.set(StClearFlags.Flag.PHYSICAL_PRESENCE, request.has(PRESENT));
        if (request.has(LOCK)) {
            tx.set(StClearFlags.Flag.PHYSICAL_PRESENCE_LOCK, true);
        }
    }

    private static Record resetEstablishmentBit(Transaction tx, NoParameters request) {
        tx.set(Flag.TPM_ESTABLISHED, false);
        return NoParameters.NONE;
    }
}
