package org.vtpm.root.tpm12;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.propertytypes.ServiceRanking;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.hosttpm.HostTpm;
import org.vtpm.hosttpm.TpmPlace;

/**
 * The host's TPM 1.2 as a root of trust. It is there even if the TPM is not: who is to keep secrets in hardware must not fall
 * back to a file because a device is missing. What cannot be done then says so when it is asked for.
 */
@Component(immediate = true, configurationPid = "org.vtpm.root.tpm12")
@ServiceRanking(50)
@Designate(ocd = Tpm12RootConfig.class)
public final class Tpm12Root implements RootOfTrust, HostTpmCommands {
    private static final Logger LOG = LoggerFactory.getLogger(Tpm12Root.class);

    private final String name;
    private final Sequences sequences;
    private final Sealer sealer;
    private final PlatformPolicies policies;
    private final MonotonicCounters counters;
    private final HostTpmCommands commands;

    @Activate
    public Tpm12Root(Tpm12RootConfig config) {
        this(
                config.name(),
                new HostTpm(TpmPlace.parse(config.place()), Duration.ofSeconds(config.command_timeout())),
                config.srk_auth(),
                config.passthrough());
    }

    /**
     * Makes a root of trust without OSGi.
     *
     * @param srkAuth file with the storage root key's secret; empty for the well-known one
     * @param passthrough names of the commands that others may send to the TPM, separated by commas
     */
    public Tpm12Root(String name, HostTpm host, String srkAuth, String passthrough) {
        this.name = name;
        commands = new Passthrough(host, HarmlessCommand.parse(passthrough));
        sequences = new Sequences(host, new SrkSecret(srkAuth.trim()), new SecureRandom());
        sealer = new Sealer(sequences);
        policies = new ApprovedPolicies(sealer);
        counters = new TpmCounters(sequences);
        host.trouble()
                .ifPresentOrElse(
                        trouble -> LOG.warn("Root of trust {}: {}", name, trouble),
                        () -> LOG.info("Root of trust {}: the TPM 1.2 at {}", name, host.place()));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String place() {
        return sequences.place();
    }

    @Override
    public boolean developmentOnly() {
        return false;
    }

    @Override
    public byte[] seal(byte[] secret, SealingTerms terms) throws RootOfTrustException {
        return sealer.seal(secret, terms);
    }

    @Override
    public byte[] unseal(byte[] sealed) throws RootOfTrustException {
        return sealer.unseal(sealed);
    }

    @Override
    public byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        return sealer.reseal(sealed, secret, ownerAuth);
    }

    @Override
    public byte[] terms(byte[] sealed) throws RootOfTrustException {
        return SealedBlob.parse(sealed).terms();
    }

    @Override
    public Examination examine(byte[] sealed) {
        return sealer.examine(sealed);
    }

    @Override
    public Optional<PlatformPolicies> policies() {
        return Optional.of(policies);
    }

    @Override
    public Optional<MonotonicCounters> counters() {
        return Optional.of(counters);
    }

    @Override
    public byte[] execute(byte[] command) throws RootOfTrustException {
        return commands.execute(command);
    }
}
