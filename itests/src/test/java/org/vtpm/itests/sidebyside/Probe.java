package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u32;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** One of the two TPMs as a case sees it: every answer leaves a line that has to be the same on both. */
final class Probe implements AutoCloseable {
    private static final int SESSION_OF_NOBODY = 0x02FFFFFF;
    /** A TPM locks up after five (observed on the reference); cases of ours fail at most twice. */
    private static final int MOST_FAILED_AUTHORIZATIONS = 3;

    private static final byte[] NONE = {};

    /** Commands whose success leaves a TPM in the situation it is in. */
    private static final Set<Ordinal> HARMLESS = Set.of(
            Ordinal.OIAP,
            Ordinal.OSAP,
            Ordinal.EXTEND,
            Ordinal.PCR_READ,
            Ordinal.PCR_RESET,
            Ordinal.GET_RANDOM,
            Ordinal.STIR_RANDOM,
            Ordinal.SELF_TEST_FULL,
            Ordinal.CONTINUE_SELF_TEST,
            Ordinal.GET_TEST_RESULT,
            Ordinal.GET_CAPABILITY,
            Ordinal.READ_PUBEK,
            Ordinal.OWNER_READ_PUBEK,
            Ordinal.OWNER_READ_INTERNAL_PUB,
            Ordinal.GET_CAPABILITY_OWNER,
            Ordinal.DIR_READ,
            Ordinal.RESET_LOCK_VALUE,
            Ordinal.TERMINATE_HANDLE,
            Ordinal.FLUSH_SPECIFIC,
            Ordinal.SAVE_STATE,
            Ordinal.SHA1_START,
            Ordinal.SHA1_UPDATE,
            Ordinal.SHA1_COMPLETE,
            Ordinal.SHA1_COMPLETE_EXTEND);

    private static final int AUTHFAIL = 0x1;
    private static final int AUTH2FAIL = 0x1D;

    /** Failures that are remembered beyond the command, apart from failed authorization: failure mode, lock-out. */
    private static final Set<Integer> LASTING_FAILURES = Set.of(0x9, 0x1C, 0x803);

    private final Target target;
    private final Map<Situation.Kept, Map<String, byte[]>> memory = new HashMap<>();
    private final List<Exchange> trace = new ArrayList<>();
    private final List<Session> open = new ArrayList<>();
    private BigInteger endorsementKey = BigInteger.TWO.pow(2047).add(BigInteger.ONE);
    private Tpm12Client tpm;
    private final Map<Situation, List<String>> baselines = new EnumMap<>(Situation.class);
    private boolean disturbed;
    /** The owner's secret may be another one, which the state does not show. */
    private boolean secretChanged;

    private int failedAuthorizations;

    Probe(Target target) {
        this.target = target;
        this.tpm = new Tpm12Client(target, new Random(0));
    }

    /** Puts the TPM into a situation, without leaving lines. */
    void enter(Situation situation) throws IOException {
        Tpm12Client client = new Tpm12Client(target, new Random(0));
        if (!memory.containsKey(Situation.Kept.NO_OWNER)) {
            // Once there is an owner, the key cannot be read without his secret.
            Situation.NO_OWNER.enter(target, memory, client);
            Response key = client.execute(Ordinal.READ_PUBEK, client.nonce()).orFail();
            endorsementKey = Structures.modulus(key.body(), 0);
        }
        situation.enter(target, memory, client);
        failedAuthorizations = 0;
        secretChanged = false;
        baselines.put(situation, state());
    }

    /**
     * Undoes what a case did, without leaving lines, as far as commands can.
     *
     * @return whether the TPM is in the situation again
     */
    boolean settle(Situation situation) throws IOException {
        if (secretChanged) {
            return false;
        }
        if (failedAuthorizations > 0
                && tpm.execute(Ordinal.RESET_LOCK_VALUE, NONE, Auth.once(oiap(), Secrets.owner()))
                        .ok()) {
            failedAuthorizations = 0;
        }
        if (failedAuthorizations > MOST_FAILED_AUTHORIZATIONS) {
            return false;
        }
        List<String> baseline = baselines.get(situation);
        if (state().equals(baseline)) {
            return true;
        }
        byte[] delete = concat(Structures.nvPublic(Secrets.FREE_INDEX, 0, Structures.NV_PER_PPWRITE), new byte[20]);
        if (!tpm.execute(Ordinal.NV_DEFINE_SPACE, delete).ok()) {
            Session owner = osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner());
            tpm.execute(Ordinal.NV_DEFINE_SPACE, delete, Auth.once(owner, Secrets.owner()));
        }
        byte[] erased = new byte[Secrets.AREA_SIZE];
        Arrays.fill(erased, (byte) -1);
        tpm.nvWrite(Secrets.OPEN_AREA, 0, erased);
        return state().equals(baseline);
    }

    private List<String> state() throws IOException {
        begin(0);
        describeState();
        return answers();
    }

    /** Starts a case of its own: no lines yet, and nonces that depend on nothing else. */
    void begin(long seed) {
        trace.clear();
        open.clear();
        disturbed = false;
        tpm = new Tpm12Client(target, new Random(seed));
    }

    /** What the case did so far. */
    List<Exchange> trace() {
        return List.copyOf(trace);
    }

    /** What has to be the same on both TPMs. */
    List<String> answers() {
        return trace.stream().map(Exchange::answer).toList();
    }

    /** Whether the TPM may not be in the situation any more that the case began in. */
    boolean disturbed() {
        return disturbed;
    }

    /** Leaves a line that is no answer. */
    void note(String line) {
        trace.add(new Exchange("", line));
    }

    /** The connection is lost: nothing is known of the TPM any more. */
    void lost() {
        note("connection lost");
        disturbed = true;
    }

    Response send(Ordinal ordinal, byte[] parameters, Auth... auths) throws IOException {
        return send(ordinal, NONE, parameters, auths);
    }

    Response send(Ordinal ordinal, byte[] handles, byte[] parameters, Auth... auths) throws IOException {
        return record(ordinal, parameters, tpm.execute(ordinal, handles, parameters, auths));
    }

    /** Sends bytes as they are; the ordinal is the one they are meant to be. */
    Response transmit(Ordinal ordinal, byte[] parameters, byte[] command) throws IOException {
        return record(ordinal, parameters, tpm.transmit(command));
    }

    private Response record(Ordinal ordinal, byte[] parameters, Response response) {
        StringBuilder line = new StringBuilder(ordinal.name())
                .append(" -> tag 0x%x, code 0x%x".formatted(response.tag(), response.code()));
        if (response.size() != response.raw().length) {
            line.append(", size field ").append(response.size());
        }
        if (!response.authentic()) {
            line.append(", not authentic");
        }
        if (response.ok()) {
            line.append(": ").append(Answers.fixed(ordinal, parameters, response));
        } else if (response.body().length > 0) {
            line.append(": ").append(HexFormat.of().formatHex(response.body()));
        }
        trace.add(new Exchange(HexFormat.of().formatHex(response.request()), line.toString()));
        boolean guessed = (response.code() == AUTHFAIL || response.code() == AUTH2FAIL)
                && ByteBuffer.wrap(response.request()).getShort() != (short) Tpm12Client.TAG_RQU_COMMAND;
        if (guessed) {
            failedAuthorizations++;
        }
        secretChanged |= ordinal == Ordinal.CHANGE_AUTH_OWNER && response.ok();
        // The reference takes a Startup that failed for one that did not.
        disturbed |= response.ok()
                ? !HARMLESS.contains(ordinal)
                : ordinal == Ordinal.STARTUP || guessed || LASTING_FAILURES.contains(response.code());
        return response;
    }

    /** Twenty bytes that are the same on both TPMs. */
    byte[] nonce() {
        return tpm.nonce();
    }

    /** Encrypts a secret for the TPM's endorsement key; while it has none, for some other. */
    byte[] encryptForEk(byte[] secret) {
        return Structures.oaep(endorsementKey, secret);
    }

    /** Opens an OIAP session; one that no TPM knows if it is refused. */
    Session oiap() throws IOException {
        Response response = send(Ordinal.OIAP, NONE);
        return remember(response.ok() ? Tpm12Client.oiapSession(response) : null);
    }

    /** Opens an OSAP session; one that no TPM knows if it is refused. */
    Session osap(int entityType, int entityValue, byte[] secret) throws IOException {
        byte[] nonceOdd = nonce();
        Response response = send(Ordinal.OSAP, Tpm12Client.osapParameters(entityType, entityValue, nonceOdd));
        return remember(response.ok() ? Tpm12Client.osapSession(response, nonceOdd, secret) : null);
    }

    private Session remember(@Nullable Session session) {
        if (session == null) {
            return Session.unknown(SESSION_OF_NOBODY);
        }
        open.add(session);
        return session;
    }

    /** Closes the sessions that the case opened; whether each is still there has to be the same on both. */
    void closeSessions() throws IOException {
        for (Session session : open) {
            send(Ordinal.FLUSH_SPECIFIC, u32(session.handle()), u32(Structures.RT_AUTH));
        }
        open.clear();
        // Sessions that a case opened by bytes of its own.
        Response handles = tpm.getCapability(Structures.CAP_HANDLE, u32(Structures.RT_AUTH));
        if (handles.ok()) {
            ByteBuffer list = ByteBuffer.wrap(handles.body(), 4, handles.body().length - 4);
            for (int left = list.getShort(); left > 0; left--) {
                tpm.execute(Ordinal.FLUSH_SPECIFIC, u32(list.getInt()), u32(Structures.RT_AUTH));
            }
        }
    }

    /** Leaves lines that tell much of the TPM's state, and of its PCRs. */
    void fingerprint() throws IOException {
        describeState();
        for (int pcr : new int[] {0, 8, 16, 17, 23}) {
            send(Ordinal.PCR_READ, u32(pcr));
        }
    }

    private void describeState() throws IOException {
        for (int flags : new int[] {0x108, 0x109}) {
            capability(Structures.CAP_FLAG, u32(flags));
        }
        // Owner, free space for NV, available sessions.
        for (int property : new int[] {0x111, 0x123, 0x10A}) {
            capability(Structures.CAP_PROPERTY, u32(property));
        }
        capability(Structures.CAP_NV_LIST, NONE);
        for (int index : new int[] {Secrets.OPEN_AREA, Secrets.OWNER_AREA, Secrets.AUTH_AREA, Secrets.FREE_INDEX}) {
            capability(Structures.CAP_NV_INDEX, u32(index));
        }
        send(Ordinal.NV_READ_VALUE, concat(u32(Secrets.OPEN_AREA), u32(0), u32(Secrets.AREA_SIZE)));
    }

    private void capability(int area, byte[] sub) throws IOException {
        send(Ordinal.GET_CAPABILITY, concat(u32(area), sized(sub)));
    }

    @Override
    public void close() {
        target.close();
    }
}
