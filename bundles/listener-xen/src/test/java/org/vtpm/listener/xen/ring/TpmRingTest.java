package org.vtpm.listener.xen.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.vtpm.api.engine.TpmFamily;

class TpmRingTest {
    private static final int MAX_LOCALITY = 2;

    private final TestPage page = new TestPage();
    private final TpmRing ring = new TpmRing(page, TpmFamily.TPM_1_2, MAX_LOCALITY);

    static byte[] command(int size) {
        byte[] command = new byte[size];
        Arrays.fill(command, (byte) 0x5A);
        ByteBuffer.wrap(command).putShort((short) 0x00C1).putInt(size);
        return command;
    }

    private static byte[] refusal(int code) {
        return HexFormat.of().parseHex(String.format("00C40000000A%08X", code));
    }

    @Example
    void aRequestIsTakenOnceAndAnswered() {
        assertThat(ring.look()).isInstanceOf(TpmRing.Nothing.class);
        page.submit(1, command(20));
        assertThat(ring.look())
                .isInstanceOfSatisfying(
                        TpmRing.Request.class, r -> assertThat(r.command()).isEqualTo(command(20)))
                .isInstanceOfSatisfying(
                        TpmRing.Request.class, r -> assertThat(r.locality()).isEqualTo(1));
        assertThat(ring.look()).isInstanceOf(TpmRing.Nothing.class);
        assertThat(page.state()).isEqualTo(TpmRing.SUBMIT);
        assertThat(ring.finish(command(33))).isTrue();
        assertThat(page.state()).isEqualTo(TpmRing.FINISH);
        assertThat(page.packet()).isEqualTo(command(33));
        assertThat(ring.look()).isInstanceOf(TpmRing.Nothing.class);
        assertThatThrownBy(() -> ring.finish(command(10))).isInstanceOf(IllegalStateException.class);
    }

    @Property
    void everyLengthOfACommandIsTakenOrRefused(@ForAll @IntRange(max = 5000) int length) {
        page.submit(0, command(Math.min(4088, Math.max(10, length))));
        page.header(length, TpmRing.SUBMIT, 0, 0);
        if (length >= 10 && length <= 4088) {
            assertThat(ring.look()).isInstanceOf(TpmRing.Request.class);
            assertThat(ring.finish(command(4088))).isTrue();
            assertThat(page.packet()).isEqualTo(command(4088));
        } else {
            assertThat(ring.look()).isInstanceOf(TpmRing.Refused.class);
            assertThat(page.packet()).isEqualTo(refusal(0x19));
        }
        assertThat(page.state()).isEqualTo(TpmRing.FINISH);
    }

    @Example
    void aLengthThatIsNotTheCommandsIsRefused() {
        page.submit(0, command(20));
        page.header(21, TpmRing.SUBMIT, 0, 0);
        assertThat(ring.look()).isInstanceOf(TpmRing.Refused.class);
        page.header(-1, TpmRing.SUBMIT, 0, 0);
        assertThat(ring.look()).isInstanceOf(TpmRing.Refused.class);
        assertThat(page.packet()).isEqualTo(refusal(0x19));
    }

    @Property
    void extraPagesAreRefusedWhereTheGuestLooksForTheAnswer(@ForAll @IntRange(min = 1, max = 255) int pages) {
        page.submit(0, command(20));
        page.header(20, TpmRing.SUBMIT, 0, pages);
        assertThat(ring.look()).isInstanceOf(TpmRing.Refused.class);
        assertThat(page.state()).isEqualTo(TpmRing.FINISH);
        assertThat(page.packet()).isEqualTo(refusal(0x19));
    }

    @Property
    void localitiesUpToTheLimitAreTaken(@ForAll @IntRange(max = 255) int locality) {
        page.submit(locality, command(10));
        TpmRing.Found found = ring.look();
        if (locality <= MAX_LOCALITY) {
            assertThat(found)
                    .isInstanceOfSatisfying(
                            TpmRing.Request.class, r -> assertThat(r.locality()).isEqualTo(locality));
            ring.finish(command(10));
        } else {
            assertThat(found).isInstanceOf(TpmRing.Refused.class);
            assertThat(page.packet()).isEqualTo(refusal(0x3D));
        }
    }

    @Example
    void thePrivateTagsOfTheManagerAreRefused() {
        for (int tag : new int[] {0x01C1, 0x01C2}) {
            byte[] command = command(20);
            ByteBuffer.wrap(command).putShort((short) tag);
            page.submit(0, command);
            assertThat(ring.look()).isInstanceOf(TpmRing.Refused.class);
            assertThat(page.packet()).isEqualTo(refusal(0x1E));
        }
    }

    @Example
    void aDomainThatIsATpmItselfMaySendThem() {
        TpmRing toManager = TpmRing.ofStubdom(page, MAX_LOCALITY);
        for (int tag : new int[] {0x01C1, 0x01C2, 0x00C1}) {
            byte[] command = command(20);
            ByteBuffer.wrap(command).putShort((short) tag);
            page.submit(0, command);
            assertThat(toManager.look())
                    .isInstanceOfSatisfying(
                            TpmRing.Request.class, r -> assertThat(r.command()).isEqualTo(command));
            toManager.finish(command(10));
        }
        page.submit(3, command(20));
        assertThat(toManager.look()).isInstanceOf(TpmRing.Refused.class);
        page.header(9, TpmRing.SUBMIT, 0, 0);
        assertThat(toManager.look()).isInstanceOf(TpmRing.Refused.class);
    }

    @Example
    void aCancelledRequestIsAnsweredAllTheSame() {
        page.submit(0, command(20));
        assertThat(ring.look()).isInstanceOf(TpmRing.Request.class);
        page.state(TpmRing.CANCEL);
        assertThat(ring.look()).isInstanceOf(TpmRing.Nothing.class);
        assertThat(page.state()).isEqualTo(TpmRing.CANCEL);
        ring.finish(command(10));
        assertThat(page.state()).isEqualTo(TpmRing.FINISH);
    }

    @Example
    void aCancelWithoutARequestMakesTheRingIdle() {
        page.header(0, TpmRing.CANCEL, 0, 0);
        assertThat(ring.look()).isInstanceOf(TpmRing.Cancelled.class);
        assertThat(page.state()).isEqualTo(TpmRing.IDLE);
    }

    @Example
    void anAnswerThatIsTooLongBecomesAFailure() {
        page.submit(0, command(20));
        ring.look();
        assertThat(ring.finish(command(4089))).isFalse();
        assertThat(page.packet()).isEqualTo(refusal(0x09));
    }

    @Example
    void whatAnEarlierBackendMayHaveBegunFails() {
        assertThat(ring.failInterrupted()).isFalse();
        page.submit(0, command(20));
        assertThat(ring.failInterrupted()).isTrue();
        assertThat(page.packet()).isEqualTo(refusal(0x09));
        assertThat(ring.look()).isInstanceOf(TpmRing.Nothing.class);
    }

    @Example
    void aGuestOfTpm20GetsItsOwnCodes() {
        TpmRing second = new TpmRing(page, TpmFamily.TPM_2_0, MAX_LOCALITY);
        page.submit(3, command(20));
        assertThat(second.look()).isInstanceOf(TpmRing.Refused.class);
        assertThat(page.packet()).isEqualTo(HexFormat.of().parseHex("80010000000A00000907"));
    }

    /** The header is read once and the packet once, so whatever the guest changes after that changes nothing. */
    @Example
    void aGuestThatChangesItsRequestAfterSubmittingItChangesNothing() {
        byte[] first = command(20);
        page.submit(0, first);
        page.afterHeader = () -> page.header(4088, TpmRing.FINISH, 200, 255);
        assertThat(ring.look())
                .isInstanceOfSatisfying(
                        TpmRing.Request.class, r -> assertThat(r.command()).isEqualTo(first));
        assertThat(page.headerReads()).isEqualTo(1);
        assertThat(page.packetReads()).isEqualTo(1);
    }

    /** Any bytes at all: the ring never throws, and every answer of its own can be read by the guest. */
    @Example
    void aHundredThousandPagesOfGarbageDoNoHarm() {
        Random random = new Random(20261128);
        byte[] garbage = new byte[SharedPage.SIZE];
        int requests = 0;
        for (int i = 0; i < 100_000; i++) {
            byte[] start = new byte[16];
            random.nextBytes(start);
            if (random.nextBoolean()) {
                start[4] = (byte) random.nextInt(4);
                start[7] = (byte) (random.nextInt(4) == 0 ? 1 : 0);
                start[5] = (byte) random.nextInt(4);
                int length = random.nextInt(8) == 0 ? random.nextInt(5000) : 10 + random.nextInt(100);
                ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).putInt(0, length);
                ByteBuffer.wrap(start).putInt(10, random.nextInt(8) == 0 ? random.nextInt() : length);
            }
            System.arraycopy(start, 0, garbage, 0, start.length);
            page.fill(garbage);
            TpmRing.Found found = ring.look();
            if (found instanceof TpmRing.Request request) {
                requests++;
                assertThat(request.command().length).isBetween(10, 4088);
                assertThat(request.locality()).isBetween(0, MAX_LOCALITY);
                ring.finish(command(10 + random.nextInt(5000)));
            } else if (found instanceof TpmRing.Nothing) {
                assertThat(page.copy()).isEqualTo(garbage);
                continue;
            } else if (found instanceof TpmRing.Cancelled) {
                assertThat(page.state()).isEqualTo(TpmRing.IDLE);
                continue;
            }
            assertThat(page.state()).isEqualTo(TpmRing.FINISH);
            assertThat(ByteBuffer.wrap(page.packet()).getInt(2)).isEqualTo(page.packet().length);
        }
        assertThat(requests).isGreaterThan(1000);
    }

    /**
     * A guest does what drivers do and what none does, in any order, while commands are under way and while none is. One that
     * follows the rules gets its own answer, whatever came before it.
     */
    @Example
    void aHundredThousandSequencesKeepTheRules() {
        int answered = 0;
        int disturbed = 0;
        for (int seed = 0; seed < 100_000; seed++) {
            Random random = new Random(seed);
            TestPage shared = new TestPage();
            TpmRing backend = new TpmRing(shared, TpmFamily.TPM_1_2, MAX_LOCALITY);
            byte[] submitted = null;
            byte[] taken = null;
            for (int step = 0; step < 30; step++) {
                switch (random.nextInt(8)) {
                    case 0, 1 -> {
                        if (taken == null && shared.state() != TpmRing.SUBMIT && shared.state() != TpmRing.CANCEL) {
                            submitted = command(10 + random.nextInt(60));
                            submitted[9] = (byte) step;
                            shared.submit(random.nextInt(MAX_LOCALITY + 1), submitted);
                        }
                    }
                    case 2 -> {
                        shared.header(random.nextInt(6000), random.nextInt(5), random.nextInt(6), random.nextInt(3));
                        submitted = null;
                    }
                    case 3 -> {
                        byte[] scribble = new byte[SharedPage.SIZE];
                        random.nextBytes(scribble);
                        shared.fill(scribble);
                        submitted = null;
                    }
                    case 4 -> shared.state(random.nextInt(5));
                    case 5, 6 -> {
                        byte[] before = shared.copy();
                        int wanted = shared.state();
                        TpmRing.Found found = backend.look();
                        if (taken != null) {
                            assertThat(found).isInstanceOf(TpmRing.Nothing.class);
                            assertThat(shared.copy()).isEqualTo(before);
                        } else if (found instanceof TpmRing.Request request) {
                            taken = request.command();
                            if (submitted != null) {
                                assertThat(taken).isEqualTo(submitted);
                            } else {
                                disturbed++;
                            }
                        } else if (wanted == TpmRing.SUBMIT) {
                            assertThat(submitted).isNull();
                            assertThat(found).isInstanceOf(TpmRing.Refused.class);
                            assertThat(shared.state()).isEqualTo(TpmRing.FINISH);
                        } else if (wanted == TpmRing.CANCEL) {
                            assertThat(shared.state()).isEqualTo(TpmRing.IDLE);
                        } else {
                            assertThat(shared.copy()).isEqualTo(before);
                        }
                    }
                    default -> {
                        if (taken != null) {
                            byte[] answer = command(10 + random.nextInt(4079));
                            answer[9] = taken[9];
                            assertThat(backend.finish(answer)).isTrue();
                            assertThat(shared.state()).isEqualTo(TpmRing.FINISH);
                            assertThat(Arrays.copyOfRange(shared.copy(), 8, 8 + answer.length))
                                    .isEqualTo(answer);
                            taken = null;
                            submitted = null;
                            answered++;
                        }
                    }
                }
                assertThat(backend.busy()).isEqualTo(taken != null);
            }
            if (taken != null) {
                backend.finish(command(10));
            }
            shared.submit(0, command(33));
            assertThat(backend.look())
                    .isInstanceOfSatisfying(
                            TpmRing.Request.class, r -> assertThat(r.command()).isEqualTo(command(33)));
        }
        assertThat(answered).isGreaterThan(50_000);
        assertThat(disturbed).isPositive();
    }
}
