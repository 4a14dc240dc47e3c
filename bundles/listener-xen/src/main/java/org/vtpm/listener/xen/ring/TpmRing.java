package org.vtpm.listener.xen.ring;

import java.nio.ByteBuffer;
import org.vtpm.api.engine.TpmFamily;

/**
 * The backend's half of the TPM protocol on one shared page. The header is 32 bits of length, then a byte each of state,
 * locality, padding and number of extra pages, all in the machine's order; the TPM's bytes follow it, as the TCG has them.
 *
 * <p>There is one request at a time. A request is copied once and checked in the copy; nothing is read again, so a guest
 * that changes it afterwards changes nothing. Used by one thread at a time.
 */
public final class TpmRing {
    /** No request and no answer. */
    public static final int IDLE = 0;
    /** Set by the guest: a request is there. */
    public static final int SUBMIT = 1;
    /** Set by the backend: the answer is there. */
    public static final int FINISH = 2;
    /** Set by the guest: it does not want the answer any more. */
    public static final int CANCEL = 3;

    /** Bytes of a command or an answer, if there are no extra pages. */
    public static final int MAX_PACKET = SharedPage.SIZE - TpmRing.HEADER;

    private static final int HEADER = 8;
    private static final int MIN_PACKET = 10;
    private static final int SIZE_OFFSET = 2;

    /** Tags of the Xen vTPM managers' own commands. */
    private static final int VTPM_TAG_REQ = 0x01C1;

    private static final int VTPM_TAG_REQ2 = 0x01C2;

    /** What is in the page. */
    public sealed interface Found {}

    /** Nothing to do. */
    public record Nothing() implements Found {}

    /** A request; {@link #finish} has to follow. */
    public record Request(int locality, byte[] command) implements Found {}

    /** A request that was answered here; the guest has to be notified. */
    public record Refused(Refusal refusal, String why) implements Found {}

    /** A request that was taken back, or none that was; the guest has to be notified. */
    public record Cancelled() implements Found {}

    private static final Nothing NOTHING = new Nothing();
    private static final Cancelled CANCELLED = new Cancelled();

    private final SharedPage page;
    private final TpmFamily family;
    private final int maxLocality;
    private final boolean toManager;
    private boolean busy;

    /** @param maxLocality the highest locality that the guest may claim */
    public TpmRing(SharedPage page, TpmFamily family, int maxLocality) {
        this(page, family, maxLocality, false);
    }

    private TpmRing(SharedPage page, TpmFamily family, int maxLocality, boolean toManager) {
        this.page = page;
        this.family = family;
        this.maxLocality = maxLocality;
        this.toManager = toManager;
    }

    /** The page of a domain that is a TPM itself: it may send the managers' own commands. */
    public static TpmRing ofStubdom(SharedPage page, int maxLocality) {
        return new TpmRing(page, TpmFamily.TPM_1_2, maxLocality, true);
    }

    /** Whether a request was found that is not answered. */
    public boolean busy() {
        return busy;
    }

    /** Looks what the guest wants. A request under way cannot be cancelled: its answer comes all the same. */
    public Found look() {
        if (busy) {
            return NOTHING;
        }
        long header = page.header();
        return switch (field(header, 4)) {
            case SUBMIT -> request(header);
            case CANCEL -> {
                page.state(IDLE);
                yield CANCELLED;
            }
            default -> NOTHING;
        };
    }

    /**
     * Gives the answer to the request under way; the guest has to be notified.
     *
     * @return whether it is the TPM's. One that does not fit into the page becomes a failure
     */
    public boolean finish(byte[] response) {
        if (!busy) {
            throw new IllegalStateException("no request is under way");
        }
        busy = false;
        boolean fits = response.length <= MAX_PACKET;
        answer(HEADER, fits ? response : Refusal.FAILURE.response(family));
        return fits;
    }

    /**
     * Answers with a failure what an earlier backend may have begun: nobody knows whether the TPM has carried it out.
     *
     * @return whether there was anything; then the guest has to be notified
     */
    public boolean failInterrupted() {
        long header = page.header();
        if (busy || field(header, 4) != SUBMIT) {
            return false;
        }
        answer(packet(header), Refusal.FAILURE.response(family));
        return true;
    }

    private Found request(long header) {
        long length = header & 0xFFFFFFFFL;
        if (packet(header) != HEADER) {
            return refuse(
                    header, Refusal.BAD_SIZE, "it has " + field(header, 7) + " extra pages, which are not supported");
        }
        if (length < MIN_PACKET || length > MAX_PACKET) {
            return refuse(
                    header,
                    Refusal.BAD_SIZE,
                    "its length is " + length + ", valid are " + MIN_PACKET + " to " + MAX_PACKET);
        }
        byte[] command = new byte[(int) length];
        page.read(HEADER, command);
        ByteBuffer copy = ByteBuffer.wrap(command);
        long size = Integer.toUnsignedLong(copy.getInt(SIZE_OFFSET));
        if (size != length) {
            return refuse(header, Refusal.BAD_SIZE, "the command says " + size + " bytes, the page " + length);
        }
        int tag = Short.toUnsignedInt(copy.getShort(0));
        if (!toManager && (tag == VTPM_TAG_REQ || tag == VTPM_TAG_REQ2)) {
            return refuse(header, Refusal.BAD_TAG, String.format("tag 0x%04X is for the manager's own commands", tag));
        }
        int locality = field(header, 5);
        if (locality > maxLocality) {
            return refuse(
                    header,
                    Refusal.BAD_LOCALITY,
                    "it claims locality " + locality + ", the guest may go up to " + maxLocality);
        }
        busy = true;
        return new Request(locality, command);
    }

    private Refused refuse(long header, Refusal refusal, String why) {
        answer(packet(header), refusal.response(family));
        return new Refused(refusal, why);
    }

    /** @param offset where the guest looks for it; with 255 extra pages there is still room for a header */
    private void answer(int offset, byte[] response) {
        page.write(offset, response);
        page.length(response.length);
        page.state(FINISH);
    }

    /** Where the packet begins: the references of extra pages stand before it. */
    private static int packet(long header) {
        return HEADER + Integer.BYTES * field(header, 7);
    }

    private static int field(long header, int offset) {
        return (int) (header >>> (offset * Byte.SIZE)) & 0xFF;
    }
}
