package org.vtpm.manager;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.endorsement.EndorsementAuthority;
import org.vtpm.api.endorsement.EndorsementException;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.engine.EngineFactory;
import org.vtpm.api.engine.EngineStateException;
import org.vtpm.api.engine.StateKind;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.api.manager.AuthorityInfo;
import org.vtpm.api.manager.NewInstance;
import org.vtpm.api.manager.VtpmException;

/** Makes TPMs as they leave the factory, with a certificate of their endorsement key if there is an authority for it. */
final class Endorser {
    private static final Logger LOG = LoggerFactory.getLogger(Endorser.class);

    private static final String NO_AUTHORITY =
            "no certification authority for endorsement keys is there; install the feature vtpm-ca-local, or start its"
                    + " bundle org.vtpm.ca.local";

    private final Services services;

    Endorser(Services services) {
        this.services = services;
    }

    /**
     * Manufactures the TPM of a new instance.
     *
     * @return its permanent state; the caller zeroes it
     * @throws VtpmException if there is an authority and it does not vouch for the key
     */
    byte[] manufacture(EngineFactory factory, NewInstance order) throws VtpmException {
        byte[] bare = factory.manufacture(order.endorsementKey());
        Optional<EndorsementAuthority> authority = order.endorsementKey() && order.endorsementCertificate()
                ? services.authorities().first(EndorsementAuthority::issues)
                : Optional.empty();
        if (authority.isEmpty()) {
            // One that is there and issues nothing was switched off by the operator.
            if (order.endorsementKey()
                    && order.endorsementCertificate()
                    && services.authorities().first(any -> true).isEmpty()) {
                LOG.warn(
                        "Instance {} gets no certificate of its endorsement key, now or later: {}",
                        order.name(),
                        NO_AUTHORITY);
            }
            return bare;
        }
        try {
            EndorsementInfo endorsement = factory.endorsement(bare)
                    .orElseThrow(() -> new EngineStateException("the TPM was made without endorsement key"));
            return factory.endorse(bare, authority.get().certify(endorsement.publicKey(), factory.model()));
        } catch (EndorsementException | EngineStateException e) {
            throw new VtpmException(
                    "instance '" + order.name() + "' was not created, its endorsement key got no certificate: "
                            + e.getMessage() + "; with --no-ek-cert it is created without one",
                    e);
        } finally {
            Arrays.fill(bare, (byte) 0);
        }
    }

    /**
     * The endorsement of an instance, running or not.
     *
     * @throws VtpmException if its state cannot be read
     */
    Optional<EndorsementInfo> endorsement(InstanceRecord record) throws VtpmException {
        EngineFactory factory = services.engine(record.family())
                .orElseThrow(() -> new VtpmException(
                        "the endorsement of instance '" + record.name() + "' cannot be read: no engine for TPM "
                                + record.family().label() + " is there"));
        try {
            Map<StateKind, byte[]> state = services.store().load(record.uuid());
            try {
                byte[] permanent = state.get(StateKind.PERMANENT);
                return permanent == null ? Optional.empty() : factory.endorsement(permanent);
            } finally {
                state.values().forEach(part -> Arrays.fill(part, (byte) 0));
            }
        } catch (IOException | EngineStateException e) {
            throw new VtpmException(
                    "the endorsement of instance '" + record.name() + "' cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * The authority that vouches for new instances, or that would if it were enabled.
     *
     * @throws VtpmException if there is none, or it cannot be used
     */
    AuthorityInfo authority() throws VtpmException {
        EndorsementAuthority authority = services.authorities()
                .first(EndorsementAuthority::issues)
                .or(() -> services.authorities().first(any -> true))
                .orElseThrow(() -> new VtpmException(NO_AUTHORITY));
        try {
            return new AuthorityInfo(authority.name(), authority.issues(), authority.certificate());
        } catch (EndorsementException e) {
            throw new VtpmException(String.valueOf(e.getMessage()), e);
        }
    }
}
