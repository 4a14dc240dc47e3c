package org.vtpm.itests.karaf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.TpmChannel;

/** Counts what goes over channels that one guest uses, for others to watch. */
final class Traffic {
    private static final int ORDINAL_OFFSET = 6;

    private final Map<Integer, Integer> begun = new ConcurrentHashMap<>();
    private final Map<Integer, Integer> answered = new ConcurrentHashMap<>();

    /** Commands of one kind that were sent. */
    int begun(Ordinal ordinal) {
        return begun.getOrDefault(ordinal.code(), 0);
    }

    /** Commands of one kind that were answered. */
    int answered(Ordinal ordinal) {
        return answered.getOrDefault(ordinal.code(), 0);
    }

    /** All commands that were answered. */
    int answered() {
        return answered.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** The same channel, counted. */
    TpmChannel count(TpmChannel channel) {
        return new TpmChannel() {
            @Override
            public byte[] transmit(byte[] command) throws IOException {
                int ordinal = ByteBuffer.wrap(command).getInt(ORDINAL_OFFSET);
                begun.merge(ordinal, 1, Integer::sum);
                byte[] response = channel.transmit(command);
                answered.merge(ordinal, 1, Integer::sum);
                return response;
            }

            @Override
            public void close() {
                channel.close();
            }
        };
    }
}
