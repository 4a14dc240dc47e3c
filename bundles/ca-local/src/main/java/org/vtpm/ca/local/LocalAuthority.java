package org.vtpm.ca.local;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import org.bouncycastle.asn1.x500.X500Name;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.propertytypes.ServiceRanking;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.endorsement.EndorsementAuthority;
import org.vtpm.api.endorsement.EndorsementException;
import org.vtpm.api.engine.TpmModel;

/**
 * A certification authority of this host alone, made when it is first needed. Its key lies in a file: who reads the disk
 * as this user can issue certificates, though not read a TPM's keys.
 */
@Component(configurationPid = "org.vtpm.ca.local")
@ServiceRanking(0)
@Designate(ocd = LocalAuthorityConfig.class)
public final class LocalAuthority implements EndorsementAuthority {
    private static final Logger LOG = LoggerFactory.getLogger(LocalAuthority.class);
    private static final String DATA = "${karaf.data}";

    private final AuthorityFolder folder;
    private final boolean enabled;
    private final X500Name subject;
    private final int days;
    private final Clock clock;

    @Activate
    public LocalAuthority(BundleContext context, LocalAuthorityConfig config) {
        this(
                new AuthorityFolder(Path.of(withData(config.directory(), context))),
                config.enabled(),
                subject(config.subject()),
                days(config.validity_days()),
                Clock.systemUTC());
        check();
    }

    LocalAuthority(AuthorityFolder folder, boolean enabled, X500Name subject, int days, Clock clock) {
        this.folder = folder;
        this.enabled = enabled;
        this.subject = subject;
        this.days = days;
        this.clock = clock;
    }

    /** Says in the log what is wrong with the authority; the services of this bundle stay, so that it can be put right. */
    private void check() {
        if (folder.exists()) {
            try {
                open().close();
            } catch (IOException e) {
                LOG.error("Until this is put right no instance with a certificate can be created: {}", problem(e));
            }
        }
    }

    @Override
    public String name() {
        return "local";
    }

    @Override
    public boolean issues() {
        return enabled;
    }

    @Override
    public byte[] certify(byte[] publicKey, TpmModel model) throws EndorsementException {
        try (Authority authority = open()) {
            return authority
                    .issue(publicKey, model, clock.instant().truncatedTo(ChronoUnit.SECONDS), days)
                    .getEncoded();
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    @Override
    public byte[] certificate() throws EndorsementException {
        try (Authority authority = open()) {
            return authority.certificate().getEncoded();
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    /** The authority; only where nothing lies in its place is one made. */
    private synchronized Authority open() throws IOException {
        if (!folder.exists()) {
            try (Authority made = Authority.make(subject, clock.instant().truncatedTo(ChronoUnit.SECONDS), days)) {
                folder.create(made);
                LOG.info("{} holds a new authority for endorsement keys: {}", folder.path(), subject);
            }
        }
        return folder.read();
    }

    private EndorsementException unusable(IOException e) {
        return new EndorsementException(problem(e), e);
    }

    private String problem(IOException e) {
        String what = e instanceof NoSuchFileException ? e.getMessage() + " is missing" : e.getMessage();
        return "the certification authority in " + folder.path() + " cannot be used: " + what
                + ". Put the folder right, from a backup of both files, or move it away to have a new authority made";
    }

    private static X500Name subject(String text) {
        X500Name name = new X500Name(text);
        if (name.getRDNs().length == 0) {
            throw new IllegalArgumentException(
                    "\"subject\" of org.vtpm.ca.local is empty; set it to one like CN=My CA");
        }
        return name;
    }

    private static int days(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("\"validity.days\" of org.vtpm.ca.local is " + number
                    + "; set it to 0 for no end, or a number of days");
        }
        return number;
    }

    private static String withData(String path, BundleContext context) {
        String data = context.getProperty("karaf.data");
        if (data == null && path.contains(DATA)) {
            throw new IllegalArgumentException(
                    "\"directory\" of org.vtpm.ca.local names " + DATA + ", but there is no such property");
        }
        return data == null ? path : path.replace(DATA, data);
    }
}
