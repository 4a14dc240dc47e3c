package org.vtpm.root.tpm20;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResponseCodeTest {
    /** Numbers as tpm2-tools' tpm2_rc_decode explains them: with a parameter, handle or session, or a layer above. */
    @ParameterizedTest
    @CsvSource({
        "0x100, INITIALIZE",
        "0x128, PCR_CHANGED",
        "0x14B, NV_SPACE",
        "0x922, RETRY",
        "0x921, LOCKOUT",
        "0x084, VALUE",
        "0x1C4, VALUE",
        "0x18B, HANDLE",
        "0x98E, AUTH_FAIL",
        "0x9A2, BAD_AUTH",
        "0x1DF, INTEGRITY",
        "0x99D, POLICY_FAIL",
        "0xB0902, OBJECT_MEMORY"
    })
    void whatANumberIsAboutDoesNotMatter(String number, ResponseCode expected) {
        assertThat(ResponseCode.of(Integer.decode(number))).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"0x000", "0x0B0143", "0x1D5", "0x907"})
    void othersAreShownByNumber(String number) {
        assertThat(ResponseCode.of(Integer.decode(number))).isNull();
        assertThat(new RefusedException(CommandCode.UNSEAL, Integer.decode(number)))
                .hasMessageContaining("TPM2_Unseal was answered with 0x");
    }
}
