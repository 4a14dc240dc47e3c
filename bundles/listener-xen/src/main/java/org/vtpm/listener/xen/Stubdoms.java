package org.vtpm.listener.xen;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.StubdomCommands;

/**
 * Carries what TPMs in domains of their own ask to the service that answers it, for each TPM one request after the other,
 * also when its domain is made anew meanwhile. Apart from the listener, because what it knows must outlive a changed
 * configuration. Thread-safe.
 */
@Component(service = Stubdoms.class)
public final class Stubdoms {
    /** What an operator reads while the service is missing. */
    static final String UNSERVED =
            "nobody serves TPMs in domains of their own: vtpm-listener-legacy does, once the storage is"
                    + " open; see feature:list and vtpm:root status";

    private static final Logger LOG = LoggerFactory.getLogger(Stubdoms.class);

    private static final int VTPM_TAG_REQ = 0x01C1;
    private static final int SAVE_HASH_KEY = 1;
    private static final int LOAD_HASH_KEY = 2;
    private static final int TAG_RSP_OFFSET = 3;
    private static final int HEADER = 10;
    private static final int CODE_AT = 6;

    private static final int TPM_SUCCESS = 0;
    private static final int TPM_IOERROR = 0x1F;
    /** The answer to who loads its key and never saved one. */
    private static final int TPM_BAD_PARAMETER = 3;

    private volatile @Nullable StubdomCommands commands;
    private final ExecutorService workers = Executors.newCachedThreadPool(XenListener.daemons("vtpm-xen-stubdom"));
    private final Map<UUID, CompletableFuture<byte[]>> lanes = new ConcurrentHashMap<>();

    /**
     * Those that could not load their key. Such a stubdom makes a new TPM, and would save that one's key over the old; the
     * service forgets that when it is started anew, and was perhaps never asked.
     */
    private final Set<UUID> keyless = ConcurrentHashMap.newKeySet();

    private final AtomicLong troubles = new AtomicLong();

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindCommands(StubdomCommands service) {
        commands = service;
    }

    void unbindCommands(StubdomCommands service) {
        // Its successor is bound before.
        if (commands == service) {
            commands = null;
        }
    }

    @Deactivate
    void deactivate() {
        workers.shutdown();
    }

    /** Whether there is anybody to carry requests to. */
    boolean served() {
        return commands != null;
    }

    /**
     * Carries a request, on a thread of its own.
     *
     * @param vtpm who asks, by what only the toolstack writes
     * @param command is zeroed: it may hold a key
     * @return completes with the response, also if nobody is there to give one
     */
    CompletableFuture<byte[]> execute(UUID vtpm, byte[] command) {
        CompletableFuture<byte[]> response = lanes.compute(
                vtpm,
                (owner, before) -> before == null
                        ? CompletableFuture.supplyAsync(() -> carry(vtpm, command), workers)
                        : before.handleAsync((last, fault) -> carry(vtpm, command), workers));
        return response.whenComplete((answer, fault) -> lanes.remove(vtpm, response));
    }

    private byte[] carry(UUID vtpm, byte[] command) {
        boolean loads = is(command, LOAD_HASH_KEY);
        byte[] response;
        try {
            response = answer(vtpm, command);
        } finally {
            Arrays.fill(command, (byte) 0);
        }
        if (loads) {
            int code = response.length < HEADER
                    ? TPM_IOERROR
                    : ByteBuffer.wrap(response).getInt(CODE_AT);
            if (code == TPM_SUCCESS || code == TPM_BAD_PARAMETER) {
                keyless.remove(vtpm);
            } else {
                keyless.add(vtpm);
            }
        }
        return response;
    }

    private byte[] answer(UUID vtpm, byte[] command) {
        if (is(command, SAVE_HASH_KEY) && keyless.contains(vtpm)) {
            report(vtpm, "could not load its key, so it may not save another one: start its domain again");
            return failure(command);
        }
        StubdomCommands service = commands;
        if (service == null) {
            report(vtpm, "is not answered: " + UNSERVED);
            return failure(command);
        }
        try {
            // Xen's toolstack writes the domain's security label nowhere.
            return service.execute(new StubdomCommands.Caller(vtpm, ""), command);
        } catch (RuntimeException e) {
            LOG.error("vTPM {} in a domain of its own: unexpected fault", vtpm, e);
            return failure(command);
        }
    }

    private static boolean is(byte[] command, int ordinal) {
        ByteBuffer in = ByteBuffer.wrap(command);
        return in.getShort(0) == VTPM_TAG_REQ && in.getInt(CODE_AT) == ordinal;
    }

    private static byte[] failure(byte[] command) {
        return ByteBuffer.allocate(HEADER)
                .putShort((short) (ByteBuffer.wrap(command).getShort() + TAG_RSP_OFFSET))
                .putInt(HEADER)
                .putInt(TPM_IOERROR)
                .array();
    }

    /** Logged at powers of two: often enough to be seen, seldom enough not to fill the log. */
    private void report(UUID vtpm, String what) {
        long count = troubles.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.warn("vTPM {} in a domain of its own {} ({} troubles so far, all vTPMs)", vtpm, what, count);
        }
    }
}
