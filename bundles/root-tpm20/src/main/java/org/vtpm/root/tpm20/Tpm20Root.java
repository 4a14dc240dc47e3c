package org.vtpm.root.tpm20;

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
 * The host's TPM 2.0 as a root of trust. It is there even if the TPM is not: who is to keep secrets in hardware must not fall
 * back to a file because a device is missing. What cannot be done then says so when it is asked for.
 */
@Component(immediate = true, configurationPid = "org.vtpm.root.tpm20")
@ServiceRanking(100)
@Designate(ocd = Tpm20RootConfig.class)
public final class Tpm20Root implements RootOfTrust, HostTpmCommands {
    private static final Logger LOG = LoggerFactory.getLogger(Tpm20Root.class);

    // NV indices of the platform's owner, by the TCG's registry of reserved handles.
    private static final int FIRST_OWNER_INDEX = 0x01800000;
    private static final int LAST_OWNER_INDEX = 0x01BFFFFF;

    private final String name;
    private final Sequences sequences;
    private final Sealer sealer;
    private final PlatformPolicies policies;
    private final MonotonicCounters counters;
    private final HostTpmCommands commands;

    @Activate
    public Tpm20Root(Tpm20RootConfig config) {
        this(
                config.name(),
                new HostTpm(TpmPlace.parse(config.place()), Duration.ofSeconds(config.command_timeout())),
                index(config.counters_first()));
    }

    /** @param firstCounter handle of the first NV index that counters may take */
    public Tpm20Root(String name, HostTpm host, int firstCounter) {
        this.name = name;
        sequences = new Sequences(host, new SecureRandom());
        sealer = new Sealer(sequences);
        policies = new ApprovedPolicies(sealer);
        counters = new NvCounters(sequences, firstCounter);
        commands = new Passthrough(sequences);
        host.trouble()
                .ifPresentOrElse(
                        trouble -> LOG.warn("Root of trust {}: {}", name, trouble),
                        () -> LOG.info("Root of trust {}: the TPM 2.0 at {}", name, host.place()));
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
    public byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        return sealer.reseal(sealed, secret, ownerAuth);
    }

    @Override
    public byte[] unseal(byte[] sealed) throws RootOfTrustException {
        return sealer.unseal(sealed);
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

    private static int index(String text) {
        try {
            int index = Integer.decode(text.trim());
            if (index >= FIRST_OWNER_INDEX && index <= LAST_OWNER_INDEX - NvCounters.HANDLES + 1) {
                return index;
            }
        } catch (NumberFormatException e) {
            // As wrong as a number out of range.
        }
        throw new IllegalArgumentException("\"counters.first\" of org.vtpm.root.tpm20 is \"" + text
                + "\", but has to be a handle such as 0x01800100, in 0x01800000 to 0x01BFFF00");
    }
}
