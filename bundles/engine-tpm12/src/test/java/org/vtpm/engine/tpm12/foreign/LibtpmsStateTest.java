package org.vtpm.engine.tpm12.foreign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StateKind;
import org.vtpm.bignum.java.JavaBigNumberProvider;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.PermanentFlags;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.engine.tpm12.state.StateFormat;

class LibtpmsStateTest {
    private static final int PCR_READ = 0x15;

    private final Tpm12EngineFactory factory = new Tpm12EngineFactory(JavaBigNumberProvider::new);

    @Test
    void aFactoryNewTpmIsFactoryNew() throws EngineStateException {
        LibtpmsState read = LibtpmsState.read(Samples.blob("new.permall"));

        PermanentState state = read.permanent();
        assertThat(state.endorsement()).isNull();
        assertThat(state.owner()).isNull();
        assertThat(state.nvAreas()).isEmpty();
        assertThat(state.manuMaintPub()).isNull();
        assertThat(state.counters().all()).isEmpty();
        assertThat(state.audit().changed())
                .as("both have the specification's defaults")
                .isEmpty();
        assertThat(state.flags().is(PermanentFlags.Flag.OWNERSHIP)).isTrue();
        assertThat(state.flags().is(PermanentFlags.Flag.DISABLE)).isFalse();
        assertThat(read.notes()).isEmpty();
    }

    @Test
    void anOwnedTpmKeepsWhatItHad() throws EngineStateException {
        LibtpmsState read = LibtpmsState.read(Samples.blob("owned.permall"));

        PermanentState state = read.permanent();
        Owner owner = state.owner();
        assertThat(owner).isNotNull();
        assertThat(owner.ownerAuth()).isEqualTo(secret("owner"));
        assertThat(owner.srk().usageAuth()).isEqualTo(secret("srk"));
        assertThat(owner.evictKeys()).singleElement().satisfies(key -> {
            assertThat(key.usageAuth()).isEqualTo(secret("key"));
            assertThat(key.migrationAuth()).isEqualTo(owner.tpmProof());
        });
        assertThat(state.endorsement()).isNotNull();
        assertThat(state.dir()).isEqualTo(secret("data"));
        assertThat(state.nvAreas())
                .extracting(area -> area.pub().nvIndex())
                .containsExactly(0x1100, 0x1101, 0x1102, 0x1103);
        assertThat(state.nvAreas())
                .extracting(area -> area.pub().writeDefine())
                .containsExactly(false, false, true, false);
        assertThat(state.nvAreas())
                .allSatisfy(area -> assertThat(area.authValue()).isEqualTo(secret("area")));
        assertThat(state.counters().all()).singleElement().satisfies(counter -> {
            assertThat(counter.value()).isEqualTo(4);
            assertThat(counter.auth()).isEqualTo(secret("counter"));
        });
        assertThat(state.counters().highest()).isEqualTo(4);
        assertThat(state.delegation().families()).hasSize(1);
        assertThat(state.delegation().delegates()).extracting(row -> row.row()).containsExactly(1);
        assertThat(state.audit().changed()).containsExactly(PCR_READ);
        assertThat(state.audit().monotonicCounter()).isNotZero();
        assertThat(state.flags().is(PermanentFlags.Flag.DISABLE_OWNER_CLEAR)).isTrue();
        assertThat(state.flags().is(PermanentFlags.Flag.READ_SRK_PUB)).isTrue();
        assertThat(read.notes()).singleElement().asString().contains("delegation blobs", "not loaded");
    }

    @Test
    void secretsForDaaWithoutAnEndorsementKeyAreNamed() throws EngineStateException {
        byte[] blob = Samples.blob("new.permall");
        long places = 0;
        for (int i = 4; i < blob.length - Sha1.LENGTH; i++) {
            byte[] changed = blob.clone();
            changed[i] = 1;
            try {
                places += LibtpmsState.read(Samples.digested(changed)).notes().stream()
                        .filter(note -> note.contains("direct anonymous attestation"))
                        .count();
            } catch (EngineStateException e) {
                // The byte is part of something that cannot be 1.
            }
        }
        assertThat(places)
                .as("the bytes of tpmDAASeed, daaProof and daaBlobKey")
                .isEqualTo(2 * Sha1.LENGTH + 16);
    }

    @Test
    void whatIsReadOpensAndComesBackTheSame() throws EngineStateException {
        byte[] permanent = factory.convert(
                        new ForeignState(ForeignState.Format.SWTPM, Samples.file("owned.permall"), null))
                .permanent();

        factory.open(Map.of(StateKind.PERMANENT, permanent)).close();
        assertThat(StateFormat.encodePermanent(StateFormat.decodePermanent(permanent)))
                .isEqualTo(permanent);
    }

    @Test
    void whatIsCutShortIsRefused() {
        byte[] blob = Samples.blob("owned.permall");
        for (int length = 0; length < blob.length; length++) {
            byte[] cut = Arrays.copyOf(blob, length);
            refused(cut, "TPM 1.2");
            if (length >= Sha1.LENGTH) {
                refused(Samples.digested(cut), "libtpms' state of this TPM 1.2 is damaged");
            }
        }
    }

    @Test
    void whatIsTooLongIsRefused() {
        byte[] blob = Samples.blob("owned.permall");

        refused(Samples.digested(Arrays.copyOf(blob, blob.length + 1)), "is followed by 1 bytes more");
    }

    @Test
    void aTurnedBitIsNoticed() {
        byte[] blob = Samples.blob("owned.permall");
        for (int i = 4; i < blob.length; i++) {
            blob[i] ^= 1;
            refused(blob, "its digest does not match");
            blob[i] ^= 1;
        }
    }

    @Test
    void aChangeUnderARightDigestIsRefusedOrOpens() {
        byte[] blob = Samples.blob("owned.permall");
        byte[] values = {0, 1, 2, 0x7F, (byte) 0x80, (byte) 0xFF};
        for (int i = 4; i < blob.length - Sha1.LENGTH; i++) {
            byte[] changed = blob.clone();
            changed[i] = values[i % values.length];
            try {
                convert(Samples.digested(changed));
            } catch (EngineStateException e) {
                assertThat(e).hasMessageContaining("TPM 1.2");
            }
        }
    }

    @Test
    void anErrorNamesTheFieldAndItsPlace() {
        byte[] blob = Samples.blob("new.permall");
        blob[4 + 5 * Sha1.LENGTH] = 2;

        refused(Samples.digested(blob), "the mark of manuMaintPub at offset 104");
    }

    @Test
    void theStateOfATpm20IsNoStateOfATpm12() {
        byte[] blob = new byte[2000];
        blob[1] = 4;

        refused(blob, "the format at offset 0 is 0x4, not 0x1");
    }

    private void convert(byte[] blob) throws EngineStateException {
        factory.convert(new ForeignState(ForeignState.Format.SWTPM, blob, null));
    }

    private static void refused(byte[] blob, String message) {
        assertThatThrownBy(() -> LibtpmsState.read(blob))
                .isInstanceOf(EngineStateException.class)
                .hasMessageContaining(message);
    }

    private static byte[] secret(String word) {
        return Sha1.of(word.getBytes(StandardCharsets.US_ASCII));
    }
}
