package org.vtpm.engine.tpm12.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.bignum.RsaCrtKey;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.engine.tpm12.TestTpm;
import org.vtpm.tpm12.structure.ReturnCode;

class Tpm12EngineComponentTest {
    private static final byte[] SELF_TEST = TestTpm.command(TestTpm.COMMAND, "SelfTestFull");

    @Test
    void aRunningEngineComputesWithTheProviderOfTheMoment() throws EngineStateException {
        Tpm12EngineComponent component = new Tpm12EngineComponent();
        Counting first = new Counting();
        Counting second = new Counting();
        component.bindBigNumbers(first);
        assertThat(component.family()).isEqualTo(TpmFamily.TPM_1_2);
        try (Engine engine = component.open(Map.of(StateKind.PERMANENT, component.manufacture(false)))) {
            execute(engine, component.startupCommand(StartupMode.CLEAR)).is(ReturnCode.SUCCESS);
            execute(engine, SELF_TEST).is(ReturnCode.SUCCESS);
            assertThat(first.calls).isEqualTo(1);
            component.bindBigNumbers(second);
            component.unbindBigNumbers(first);
            execute(engine, SELF_TEST).is(ReturnCode.SUCCESS);
            assertThat(first.calls).isEqualTo(1);
            assertThat(second.calls).isEqualTo(1);
            component.unbindBigNumbers(second);
            execute(engine, SELF_TEST).is(ReturnCode.FAIL);
            component.bindBigNumbers(first);
            execute(engine, SELF_TEST).is(ReturnCode.SUCCESS);
        }
    }

    private static TestTpm.Response execute(Engine engine, byte[] command) {
        return TestTpm.parse(engine.execute(0, command, changes -> {}));
    }

    /** Knows modPow only: the self-test needs no more. */
    private static final class Counting implements BigNumberProvider {
        private int calls;

        @Override
        public String name() {
            return "counting";
        }

        @Override
        public byte[] modPow(byte[] base, byte[] exponent, byte[] modulus) {
            calls++;
            return new BigInteger(1, base)
                    .modPow(new BigInteger(1, exponent), new BigInteger(1, modulus))
                    .toByteArray();
        }

        @Override
        public byte[] modPowSecret(byte[] base, byte[] exponent, byte[] modulus) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] rsaPrivate(byte[] input, RsaCrtKey key) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] nextPrime(byte[] start) {
            throw new UnsupportedOperationException();
        }
    }
}
