package org.vtpm.engine.tpm12.state;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.vtpm.codec.Counted;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.Sha1;

/**
 * What the TPM remembers of the resources that it has given out as context blobs: the parts of TPM_STCLEAR_DATA and
 * TPM_STANY_DATA about contexts (TPM Main Part 2, sections 7.5 and 7.6). A session's blob is good once, while it is listed
 * here; a key's any number of times.
 *
 * @param nonceKey contextNonceKey: what key contexts that must not outlive TPM_Startup(ST_CLEAR) carry; zeros before the
 *     first
 * @param nonceSession contextNonceSession: the same for sessions
 * @param count contextCount: the number of the last saved session
 * @param list contextList: the numbers of saved sessions that were not loaded again
 */
public record SavedContexts(
        @Fixed(20) byte[] nonceKey,
        @Fixed(20) byte[] nonceSession,
        int count,
        @Counted(prefix = 2, max = MAX) int[] list) {

    /** Most saved sessions at a time. */
    public static final int MAX = 128;

    public static final SavedContexts NONE =
            new SavedContexts(new byte[Sha1.LENGTH], new byte[Sha1.LENGTH], 0, new int[0]);

    public SavedContexts withNonceKey(byte[] to) {
        return new SavedContexts(to, nonceSession, count, list);
    }

    public SavedContexts withNonceSession(byte[] to) {
        return new SavedContexts(nonceKey, to, count, list);
    }

    /** Lists the next saved session under the number {@code count() + 1}. */
    public SavedContexts withNext() {
        int[] longer = Arrays.copyOf(list, list.length + 1);
        longer[list.length] = count + 1;
        return new SavedContexts(nonceKey, nonceSession, count + 1, longer);
    }

    /** Whether a session of this number was saved and not loaded since. */
    public boolean lists(int number) {
        return IntStream.of(list).anyMatch(each -> each == number);
    }

    /** Voids the blob of a saved session. */
    public SavedContexts without(int number) {
        int[] others = IntStream.of(list).filter(each -> each != number).toArray();
        return new SavedContexts(nonceKey, nonceSession, count, others);
    }
}
