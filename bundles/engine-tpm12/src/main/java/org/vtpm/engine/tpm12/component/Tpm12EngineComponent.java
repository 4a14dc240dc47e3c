package org.vtpm.engine.tpm12.component;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.api.engine.ConvertedState;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.ForeignState;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.engine.TpmModel;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;

/** Registers the factory of TPM 1.2 engines; the big-number provider below it may change while engines run. */
@Component(property = "vtpm.family=1.2")
public final class Tpm12EngineComponent implements EngineFactory {
    private final AtomicReference<@Nullable BigNumberProvider> bigNumbers = new AtomicReference<>();
    private final Tpm12EngineFactory factory = new Tpm12EngineFactory(this::provider);

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    void bindBigNumbers(BigNumberProvider provider) {
        bigNumbers.set(provider);
    }

    void unbindBigNumbers(BigNumberProvider provider) {
        bigNumbers.compareAndSet(provider, null);
    }

    @Override
    public TpmFamily family() {
        return factory.family();
    }

    @Override
    public byte[] manufacture(boolean endorsementKey) {
        return factory.manufacture(endorsementKey);
    }

    @Override
    public TpmModel model() {
        return factory.model();
    }

    @Override
    public byte[] endorse(byte[] permanent, byte[] certificate) throws EngineStateException {
        return factory.endorse(permanent, certificate);
    }

    @Override
    public Optional<EndorsementInfo> endorsement(byte[] permanent) throws EngineStateException {
        return factory.endorsement(permanent);
    }

    @Override
    public ConvertedState convert(ForeignState foreign) throws EngineStateException {
        return factory.convert(foreign);
    }

    @Override
    public Engine open(Map<StateKind, byte[]> state) throws EngineStateException {
        return factory.open(state);
    }

    @Override
    public byte[] startupCommand(StartupMode mode) {
        return factory.startupCommand(mode);
    }

    private BigNumberProvider provider() {
        BigNumberProvider provider = bigNumbers.get();
        if (provider == null) {
            throw new IllegalStateException("no big-number provider is there");
        }
        return provider;
    }
}
