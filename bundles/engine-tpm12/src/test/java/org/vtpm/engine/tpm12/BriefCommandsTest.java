package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.u32;

import org.junit.jupiter.api.Test;
import org.vtpm.tpm12.structure.ReturnCode;

/**
 * What may run on a thread that serves other guests too. That such a command stores nothing is checked by {@link TestTpm}
 * for every command of every test.
 */
class BriefCommandsTest {
    private static final byte[] PCR = u32(10);

    private final TestTpm tpm = TestTpm.started();

    @Test
    void aCommandThatMayHaveToTestTheTpmFirstIsNotBrief() {
        assertThat(tpm.isBrief("PcrRead", PCR)).isFalse();
        tpm.send("SelfTestFull").is(ReturnCode.SUCCESS);
        assertThat(tpm.isBrief("PcrRead", PCR)).isTrue();
    }

    @Test
    void aCommandThatErasesTheSavedStateIsNotBrief() {
        tpm.send("SelfTestFull").is(ReturnCode.SUCCESS);
        tpm.send("SaveState").is(ReturnCode.SUCCESS);
        assertThat(tpm.isBrief("PcrRead", PCR)).isFalse();
        tpm.send("PcrRead", PCR).is(ReturnCode.SUCCESS);
        assertThat(tpm.isBrief("PcrRead", PCR)).isTrue();
    }

    @Test
    void commandsWithPrivateKeysOrStorageAreNotBrief() {
        tpm.send("SelfTestFull").is(ReturnCode.SUCCESS);
        for (String name : new String[] {
            "CreateWrapKey",
            "LoadKey2",
            "Sign",
            "Quote",
            "Unseal",
            "NV_WriteValue",
            "SaveState",
            "SelfTestFull",
            "ExecuteTransport",
            "DAA_Sign",
            "CreateEndorsementKeyPair"
        }) {
            assertThat(tpm.isBrief(name)).as(name).isFalse();
        }
    }
}
