package org.vtpm.engine.tpm12.command;

import java.util.Set;
import org.vtpm.engine.tpm12.state.State;
import org.vtpm.engine.tpm12.state.VolatileState;
import org.vtpm.engine.tpm12.state.VolatileState.SelfTest;

/**
 * Which commands take some microseconds only: at most SHA-1 over the request. None uses a private key, and none changes
 * permanent state by what it does; the state tells whether it would by being sent at all.
 */
final class BriefCommands {
    private static final Set<String> NAMES = Set.of(
            "OIAP",
            "OSAP",
            "Terminate_Handle",
            "FlushSpecific",
            "GetCapability",
            "GetRandom",
            "GetTicks",
            "GetTestResult",
            "PcrRead",
            "Extend",
            "PCR_Reset",
            "SHA1Start",
            "SHA1Update",
            "SHA1Complete",
            "SHA1CompleteExtend",
            "DirRead",
            "NV_ReadValue",
            "NV_ReadValueAuth",
            "ReadCounter");

    private BriefCommands() {}

    /** Whether a command is brief while the TPM is in this state. */
    static boolean contain(Command command, State state) {
        VolatileState volatiles = state.volatiles();
        return NAMES.contains(command.name())
                && volatiles.selfTest() == SelfTest.PASSED
                && !volatiles.stateSaved()
                && !Auditing.isAudited(state.permanent(), command);
    }
}
