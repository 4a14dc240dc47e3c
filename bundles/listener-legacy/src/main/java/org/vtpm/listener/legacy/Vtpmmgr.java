package org.vtpm.listener.legacy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.StubdomCommands;
import org.vtpm.api.root.HostTpmCommands;
import org.vtpm.api.root.RootOfTrustException;
import org.vtpm.api.storage.KeyVault;
import org.vtpm.api.storage.StateException;

/**
 * The commands of Xen's vtpmmgr that its vtpm-stubdom sends (Xen 4.3 and later): {@code u16 tag, u32 size, u32 ordinal,
 * parameters}, big-endian. There is no administrator among its callers: operators use the shell.
 */
@Component
public final class Vtpmmgr implements StubdomCommands {
    private static final Logger LOG = LoggerFactory.getLogger(Vtpmmgr.class);

    private static final int SAVE_HASH_KEY = 1;
    private static final int LOAD_HASH_KEY = 2;
    private static final int GET_BOOT_HASH = 3;
    private static final int GET_QUOTE = 4;

    private static final int TAG_RSP_OFFSET = 3;
    private static final int VTPM_TAG_RSP = ConsoleOrder.VTPM_TAG_REQ + TAG_RSP_OFFSET;
    private static final int TPM_TAG_RQU_COMMAND = 0x00C1;
    private static final int TPM_TAG_RQU_AUTH2_COMMAND = 0x00C3;
    private static final int TPM_ORD_GET_RANDOM = 0x46;

    /** A hash key is SHA-1 of the state and an AES key of 256 bits; later stubdoms may add to it. */
    private static final int SHORT_KEY = 52;

    private static final int LONG_KEY = 64;
    private static final int HEADER = 10;
    private static final int SIZE_AT = 2;
    private static final int ORDINAL_AT = 6;

    /** What fits into the shared page of a frontend. */
    private static final int LONGEST_RESPONSE = 4088;

    private static final int MOST_RANDOM = 256;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile @Nullable HostTpmCommands hostTpm;

    private final KeyVault vault;
    private final SecureRandom random = new SecureRandom();
    private final AtomicLong troubles = new AtomicLong();

    /** Those that did not get the key they have: a stubdom then makes a new TPM, and would save that one's key over it. */
    private final Set<UUID> denied = ConcurrentHashMap.newKeySet();

    @Activate
    public Vtpmmgr(@Reference KeyVault vault) {
        this.vault = vault;
    }

    Vtpmmgr(KeyVault vault, @Nullable HostTpmCommands hostTpm) {
        this(vault);
        this.hostTpm = hostTpm;
    }

    @Override
    public byte[] execute(Caller caller, byte[] command) {
        ByteBuffer in = ByteBuffer.wrap(command);
        if (command.length < HEADER || in.getInt(SIZE_AT) != command.length) {
            return response(VTPM_TAG_RSP, TpmError.BAD_PARAMETER);
        }
        int tag = Short.toUnsignedInt(in.getShort());
        int ordinal = in.getInt(ORDINAL_AT);
        byte[] parameters = Arrays.copyOfRange(command, HEADER, command.length);
        try {
            if (tag == ConsoleOrder.VTPM_TAG_REQ) {
                return ofVtpm(caller, ordinal, parameters);
            }
            if (tag == ConsoleOrder.VTPM_TAG_REQ2) {
                report(caller, "it sent a command for administrators, of which there are none: refused");
                return response(tag + TAG_RSP_OFFSET, TpmError.AUTHFAIL);
            }
            if (tag == TPM_TAG_RQU_COMMAND) {
                return ofHost(caller, ordinal, command);
            }
            return response(
                    tag + TAG_RSP_OFFSET,
                    tag > TPM_TAG_RQU_COMMAND && tag <= TPM_TAG_RQU_AUTH2_COMMAND
                            ? TpmError.DISABLED_CMD
                            : TpmError.BADTAG);
        } finally {
            Arrays.fill(parameters, (byte) 0);
        }
    }

    private byte[] ofVtpm(Caller caller, int ordinal, byte[] parameters) {
        return switch (ordinal) {
            case SAVE_HASH_KEY -> save(caller, parameters);
            case LOAD_HASH_KEY -> load(caller, parameters);
            case GET_BOOT_HASH -> bootHash(caller, parameters);
            // It needs an attestation key in the host's TPM, which no root of trust makes.
            case GET_QUOTE -> response(VTPM_TAG_RSP, TpmError.DISABLED_CMD);
            default -> response(VTPM_TAG_RSP, TpmError.BAD_ORDINAL);
        };
    }

    private byte[] save(Caller caller, byte[] key) {
        if (key.length < SHORT_KEY || key.length > LONG_KEY) {
            report(caller, "its key of " + key.length + " bytes has none of 52 to 64: refused");
            return response(VTPM_TAG_RSP, TpmError.BAD_PARAMETER);
        }
        if (denied.contains(caller.vtpm())) {
            report(caller, "it could not load its key before, so it may not save another one: restart its domain");
            return response(VTPM_TAG_RSP, TpmError.IOERROR);
        }
        byte[] padded = Arrays.copyOf(key, LONG_KEY);
        try {
            vault.store(caller.vtpm(), padded);
            return response(VTPM_TAG_RSP, TpmError.SUCCESS);
        } catch (StateException e) {
            report(caller, "its key was not stored: " + e.getMessage());
            return response(VTPM_TAG_RSP, TpmError.IOERROR);
        } finally {
            Arrays.fill(padded, (byte) 0);
        }
    }

    private byte[] load(Caller caller, byte[] parameters) {
        if (parameters.length != 0) {
            return response(VTPM_TAG_RSP, TpmError.BAD_PARAMETER);
        }
        Optional<byte[]> stored;
        try {
            stored = vault.load(caller.vtpm());
            denied.remove(caller.vtpm());
        } catch (StateException e) {
            denied.add(caller.vtpm());
            report(caller, "its key cannot be had: " + e.getMessage());
            return response(VTPM_TAG_RSP, TpmError.IOERROR);
        }
        if (stored.isEmpty()) {
            return response(VTPM_TAG_RSP, TpmError.BAD_PARAMETER);
        }
        byte[] key = stored.get();
        try {
            boolean isLong =
                    !Arrays.equals(key, SHORT_KEY, LONG_KEY, new byte[LONG_KEY - SHORT_KEY], 0, LONG_KEY - SHORT_KEY);
            return response(VTPM_TAG_RSP, TpmError.SUCCESS, key, isLong ? LONG_KEY : SHORT_KEY);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    private static byte[] bootHash(Caller caller, byte[] parameters) {
        if (parameters.length != 0 || caller.label().isEmpty()) {
            return response(VTPM_TAG_RSP, TpmError.BAD_PARAMETER);
        }
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-1").digest(caller.label().getBytes(UTF_8));
            return response(VTPM_TAG_RSP, TpmError.SUCCESS, digest, digest.length);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }

    private byte[] ofHost(Caller caller, int ordinal, byte[] command) {
        HostTpmCommands tpm = hostTpm;
        int tag = TPM_TAG_RQU_COMMAND + TAG_RSP_OFFSET;
        if (tpm == null) {
            return ordinal == TPM_ORD_GET_RANDOM ? random(command) : response(tag, TpmError.DISABLED_CMD);
        }
        try {
            byte[] response = tpm.execute(command);
            return response.length <= LONGEST_RESPONSE ? response : response(tag, TpmError.FAIL);
        } catch (RootOfTrustException e) {
            report(caller, "the host's TPM did not carry its command out: " + e.getMessage());
            return response(tag, TpmError.FAIL);
        }
    }

    /** Where the host has no TPM, its random numbers are the operating system's: a stubdom seeds its own with them. */
    private byte[] random(byte[] command) {
        int tag = TPM_TAG_RQU_COMMAND + TAG_RSP_OFFSET;
        if (command.length != HEADER + Integer.BYTES) {
            return response(tag, TpmError.BAD_PARAM_SIZE);
        }
        long wanted = Integer.toUnsignedLong(ByteBuffer.wrap(command).getInt(HEADER));
        byte[] bytes = new byte[(int) Math.min(wanted, MOST_RANDOM)];
        random.nextBytes(bytes);
        byte[] sized = ByteBuffer.allocate(Integer.BYTES + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
        return response(tag, TpmError.SUCCESS, sized, sized.length);
    }

    private static byte[] response(int tag, TpmError code) {
        return response(tag, code, new byte[0], 0);
    }

    private static byte[] response(int tag, TpmError code, byte[] parameters, int count) {
        return ByteBuffer.allocate(HEADER + count)
                .putShort((short) tag)
                .putInt(HEADER + count)
                .putInt(code.code())
                .put(parameters, 0, count)
                .array();
    }

    /** Logged at powers of two: often enough to be seen, seldom enough not to fill the log. */
    private void report(Caller caller, String what) {
        long count = troubles.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.warn("vTPM {} in a domain of its own: {} ({} troubles so far, all vTPMs)", caller.vtpm(), what, count);
        }
    }
}
