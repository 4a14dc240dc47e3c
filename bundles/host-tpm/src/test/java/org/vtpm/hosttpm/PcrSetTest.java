package org.vtpm.hosttpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.assertj.core.data.Index;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.PcrValue;
import org.vtpm.api.root.RootOfTrustException;

/** Values of PCRs are put together and taken apart, and held against approved ones. */
class PcrSetTest {
    private PcrSet pcrs;

    @BeforeEach
    void choose() throws RootOfTrustException {
        pcrs = PcrSet.of(Set.of(7, 0, 23), 20);
    }

    @Test
    void valuesAreWantedForTheRegistersOnce() throws Exception {
        byte[] bytes = pcrs.bytes(List.of(value(7, 7), value(0, 0), value(23, 0)));
        assertThat(bytes).hasSize(60).hasSize(pcrs.length()).contains(7, Index.atIndex(20));
        assertThat(pcrs.values(bytes)).containsExactly(value(0, 0), value(7, 7), value(23, 0));
        assertThatThrownBy(() -> pcrs.bytes(List.of(value(7, 7))))
                .isInstanceOf(RootOfTrustException.class)
                .hasMessageContaining("[0, 7, 23]");
        assertThatThrownBy(() -> pcrs.bytes(List.of(value(7, 7), value(7, 7), value(0, 0))))
                .hasMessageContaining("[0, 7, 23]");
        List<PcrValue> long7 = List.of(value(0, 0), new PcrValue(7, new byte[32]), value(23, 0));
        assertThatThrownBy(() -> pcrs.bytes(long7)).hasMessageContaining("PCR 7", "32 bytes");
        assertThatThrownBy(() -> PcrSet.of(Set.of(24), 20)).isInstanceOf(RootOfTrustException.class);
        assertThatThrownBy(() -> PcrSet.of(Set.of(-1), 20)).isInstanceOf(RootOfTrustException.class);
    }

    @Test
    void theNearestApprovedStateIsTold() throws Exception {
        byte[] now = pcrs.bytes(List.of(value(0, 1), value(7, 1), value(23, 1)));
        byte[] far = pcrs.bytes(List.of(value(0, 2), value(7, 2), value(23, 1)));
        byte[] near = pcrs.bytes(List.of(value(0, 1), value(7, 3), value(23, 1)));

        assertThat(pcrs.examine(now, List.of(far, now)).opens()).isTrue();
        Examination examination = pcrs.examine(now, List.of(far, near));
        assertThat(examination.opens()).isFalse();
        assertThat(examination.approved()).isEqualTo(2);
        assertThat(examination.differences()).containsExactly(new Examination.PcrDifference(value(7, 1), value(7, 3)));
        assertThat(examination.problems())
                .hasSize(2)
                .first()
                .asString()
                .contains("PCR 7=01", "nearest has 7=03", "Secure Boot");
        assertThat(pcrs.examine(now, List.of()).problems())
                .singleElement()
                .asString()
                .contains("[0, 7, 23]", "sign");
    }

    private static PcrValue value(int index, int first) {
        byte[] value = new byte[20];
        value[0] = (byte) first;
        return new PcrValue(index, value);
    }
}
