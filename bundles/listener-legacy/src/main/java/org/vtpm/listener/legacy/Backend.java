package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vtpm.api.manager.GuestChannel;

/**
 * The dummy backend: stands in for {@code /dev/vtpm}, through which the kernel brings the commands of all guests. Each
 * command has its guest's instance number before it, and so has its answer; answers leave in the order they become ready.
 *
 * <p>Every command is answered. The original said nothing to a guest without an instance, and the kernel then kept that
 * guest waiting for a minute and more.
 */
final class Backend implements FrameHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Backend.class);

    private static final int LOCALITY = 0;

    private final LegacyEndpoints endpoints;

    // Logged at powers of two: often enough to be seen, seldom enough not to fill the log.
    private long refusedTags;
    private long unknownInstances;
    private final AtomicLong faults = new AtomicLong();

    Backend(LegacyEndpoints endpoints) {
        this.endpoints = endpoints;
    }

    @Override
    public void handle(byte[] frame, Consumer<byte[]> answer) {
        ByteBuffer header = ByteBuffer.wrap(frame);
        long instance = Integer.toUnsignedLong(header.getInt());
        int tag = Short.toUnsignedInt(header.getShort());
        if (tag == ConsoleOrder.VTPM_TAG_REQ || tag == ConsoleOrder.VTPM_TAG_REQ2) {
            reportPrivateTag(instance, tag);
            answer.accept(TpmError.BADTAG.frame(instance));
            return;
        }
        Optional<GuestChannel> channel = endpoints.channel(instance);
        if (channel.isEmpty()) {
            reportUnknown(instance);
            answer.accept(TpmError.FAIL.frame(instance));
            return;
        }
        Exchange.run(channel.get(), LOCALITY, frame, fault -> reportFault(instance, fault), answer);
    }

    @Override
    public byte[] refuse(long instance) {
        return TpmError.BAD_PARAM_SIZE.frame(instance);
    }

    private void reportPrivateTag(long instance, int tag) {
        if (Long.bitCount(++refusedTags) == 1) {
            LOG.warn(
                    "Guest {} sent tag 0x{}, which is for the manager's own commands: refused ({} so far, all guests)",
                    instance,
                    String.format("%04X", tag),
                    refusedTags);
        }
    }

    private void reportUnknown(long instance) {
        if (Long.bitCount(++unknownInstances) == 1) {
            LOG.warn(
                    "Guest {} sent a command, but no running instance has the endpoint legacy:{}: answered with TPM_FAIL"
                            + " ({} so far, all guests)",
                    instance,
                    instance,
                    unknownInstances);
        }
    }

    private void reportFault(long instance, @Nullable Throwable fault) {
        long count = faults.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.error("The TPM of guest {} gave no answer that can be sent ({} so far)", instance, count, fault);
        }
    }
}
