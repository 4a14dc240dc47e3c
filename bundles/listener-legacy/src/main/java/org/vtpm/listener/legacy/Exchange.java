package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.GuestChannel;

/** A guest's command on its way to the TPM and back. */
final class Exchange {
    private Exchange() {}

    /**
     * Sends the command in a frame to an instance. Does not wait.
     *
     * @param fault told if there is no answer that can be sent; with the cause, or null if it is too long
     * @param answer takes the frame with the response, on any thread; TPM_FAIL if there is none
     */
    static void run(
            GuestChannel channel,
            int locality,
            byte[] frame,
            Consumer<@Nullable Throwable> fault,
            Consumer<byte[]> answer) {
        byte[] command = Arrays.copyOfRange(frame, Frame.PREFIX, frame.length);
        CompletableFuture<Void> unused = execute(channel, locality, command)
                .handle((response, cause) -> {
                    if (cause == null && response.length <= Frame.MAX - Frame.PREFIX) {
                        return ByteBuffer.allocate(Frame.PREFIX + response.length)
                                .put(frame, 0, Frame.PREFIX)
                                .put(response)
                                .array();
                    }
                    fault.accept(cause);
                    return TpmError.FAIL.frame(
                            Integer.toUnsignedLong(ByteBuffer.wrap(frame).getInt()));
                })
                .thenAccept(answer);
    }

    private static CompletableFuture<byte[]> execute(GuestChannel channel, int locality, byte[] command) {
        try {
            return channel.execute(locality, command);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}
