package org.vtpm.root.software;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.propertytypes.ServiceRanking;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.MonotonicCounters;
import org.vtpm.api.root.PlatformPolicies;
import org.vtpm.api.root.RootOfTrust;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.root.SealingTerms;
import org.vtpm.crypto.AesGcm;
import org.vtpm.crypto.AuthenticationException;
import org.vtpm.crypto.Secrets;

/**
 * Seals under a key in a file on the same host. Whoever reads the disk opens it: this is for development, and says so at
 * every start. A sealed blob is 8 bytes of magic, the nonce, and the secret sealed with AES-256-GCM.
 */
@Component(immediate = true, configurationPid = "org.vtpm.root.software")
@ServiceRanking(0)
@Designate(ocd = SoftwareRootConfig.class)
public final class SoftwareRoot implements RootOfTrust {
    private static final Logger LOG = LoggerFactory.getLogger(SoftwareRoot.class);
    private static final String DATA = "${karaf.data}";
    private static final byte[] MAGIC = "VTPMSOF1".getBytes(US_ASCII);
    private static final int LONGEST_SECRET = 64;

    private final KeyFile file;

    @Activate
    public SoftwareRoot(BundleContext context, SoftwareRootConfig config) {
        this(new KeyFile(Path.of(withData(config.file(), context))));
    }

    SoftwareRoot(KeyFile file) {
        this.file = file;
        LOG.warn(
                "FOR DEVELOPMENT ONLY: the software root of trust keeps its key in {}."
                        + " It protects nothing from anyone who can read this host's disk",
                file.path());
    }

    @Override
    public String name() {
        return "software";
    }

    @Override
    public String place() {
        return file.path().toString();
    }

    @Override
    public boolean developmentOnly() {
        return true;
    }

    @Override
    public byte[] seal(byte[] secret, SealingTerms terms) throws RootOfTrustException {
        if (!terms.pcrs().isEmpty()) {
            throw new RootOfTrustException("the software root of trust measures nothing: it has no PCRs to seal to");
        }
        if (secret.length > LONGEST_SECRET) {
            throw new RootOfTrustException(
                    "a secret of " + secret.length + " bytes cannot be sealed: at most " + LONGEST_SECRET);
        }
        byte[] nonce = new byte[AesGcm.NONCE_LENGTH];
        new SecureRandom().nextBytes(nonce);
        byte[] key = key(true);
        try {
            byte[] sealed = AesGcm.seal(key, nonce, MAGIC, secret);
            return ByteBuffer.allocate(MAGIC.length + nonce.length + sealed.length)
                    .put(MAGIC)
                    .put(nonce)
                    .put(sealed)
                    .array();
        } finally {
            Secrets.zero(key);
        }
    }

    @Override
    public byte[] unseal(byte[] sealed) throws RootOfTrustException {
        int start = MAGIC.length + AesGcm.NONCE_LENGTH;
        if (sealed.length < start + AesGcm.TAG_LENGTH
                || sealed.length > start + AesGcm.TAG_LENGTH + LONGEST_SECRET
                || !Arrays.equals(MAGIC, Arrays.copyOf(sealed, MAGIC.length))) {
            throw new RootOfTrustException("what is to be opened was not sealed by the software root of trust");
        }
        byte[] key = key(false);
        try {
            return AesGcm.open(
                    key,
                    Arrays.copyOfRange(sealed, MAGIC.length, start),
                    MAGIC,
                    Arrays.copyOfRange(sealed, start, sealed.length));
        } catch (AuthenticationException e) {
            throw new RootOfTrustException(
                    "what is to be opened was changed, or was sealed with another key than that in " + file.path()
                            + ": put the key file back that was there then",
                    e);
        } finally {
            Secrets.zero(key);
        }
    }

    @Override
    public byte[] reseal(byte[] sealed, byte[] secret, byte[] ownerAuth) throws RootOfTrustException {
        return seal(secret, SealingTerms.NONE);
    }

    @Override
    public byte[] terms(byte[] sealed) {
        return new byte[0];
    }

    @Override
    public Examination examine(byte[] sealed) {
        try {
            Secrets.zero(unseal(sealed));
            return new Examination(List.of(), List.of(), 0);
        } catch (RootOfTrustException e) {
            return new Examination(List.of(e.getMessage()), List.of(), 0);
        }
    }

    @Override
    public Optional<PlatformPolicies> policies() {
        return Optional.empty();
    }

    @Override
    public Optional<MonotonicCounters> counters() {
        return Optional.empty();
    }

    /** The key; only who seals may have it made, for a new key opens nothing that is sealed. */
    private synchronized byte[] key(boolean make) throws RootOfTrustException {
        try {
            if (!file.exists()) {
                if (!make) {
                    throw new RootOfTrustException(file.path()
                            + " is missing, and nothing else opens what was sealed with it: put the file back");
                }
                file.create();
            }
            return file.read();
        } catch (IOException e) {
            throw new RootOfTrustException("the key file cannot be used: " + e.getMessage(), e);
        }
    }

    private static String withData(String path, BundleContext context) {
        String data = context.getProperty("karaf.data");
        if (data == null && path.contains(DATA)) {
            throw new IllegalArgumentException(
                    "\"file\" of org.vtpm.root.software names " + DATA + ", but there is no such property");
        }
        return data == null ? path : path.replace(DATA, data);
    }
}
