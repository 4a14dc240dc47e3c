package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
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
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;
import org.vtpm.itests.tpm12.TransportChannel;
import org.vtpm.itests.tpm12.Wire;

/** One of the two TPMs as a case sees it: every answer leaves a line that has to be the same on both. */
final class Probe implements AutoCloseable {
    private static final int SESSION_OF_NOBODY = 0x02FFFFFF;
    private static final int KEY_OF_NOBODY = 0x00ABCDEF;
    /** A TPM locks up after five (observed on the reference); cases of ours fail at most twice. */
    private static final int MOST_FAILED_AUTHORIZATIONS = 3;

    private static final byte[] NONE = {};

    /** Commands whose success leaves a TPM in the situation it is in. */
    private static final Set<Ordinal> HARMLESS = Set.of(
            Ordinal.OIAP,
            Ordinal.OSAP,
            Ordinal.DSAP,
            Ordinal.QUOTE,
            Ordinal.QUOTE2,
            Ordinal.SEAL,
            Ordinal.SEALX,
            Ordinal.UNSEAL,
            Ordinal.UNBIND,
            Ordinal.CREATE_WRAP_KEY,
            Ordinal.LOAD_KEY,
            Ordinal.LOAD_KEY2,
            Ordinal.GET_PUB_KEY,
            Ordinal.EVICT_KEY,
            Ordinal.SIGN,
            Ordinal.CERTIFY_KEY,
            Ordinal.CERTIFY_KEY2,
            Ordinal.CHANGE_AUTH,
            Ordinal.CHANGE_AUTH_ASYM_START,
            Ordinal.CHANGE_AUTH_ASYM_FINISH,
            Ordinal.MAKE_IDENTITY,
            Ordinal.ACTIVATE_IDENTITY,
            Ordinal.AUTHORIZE_MIGRATION_KEY,
            Ordinal.CREATE_MIGRATION_BLOB,
            Ordinal.CONVERT_MIGRATION_BLOB,
            Ordinal.MIGRATE_KEY,
            Ordinal.CMK_APPROVE_MA,
            Ordinal.CMK_CREATE_KEY,
            Ordinal.CMK_CREATE_TICKET,
            Ordinal.CMK_CREATE_BLOB,
            Ordinal.CMK_CONVERT_MIGRATION,
            Ordinal.DELEGATE_CREATE_KEY_DELEGATION,
            Ordinal.DELEGATE_VERIFY_DELEGATION,
            Ordinal.DELEGATE_READ_TABLE,
            Ordinal.DAA_JOIN,
            Ordinal.DAA_SIGN,
            Ordinal.SAVE_CONTEXT,
            Ordinal.LOAD_CONTEXT,
            Ordinal.SAVE_KEY_CONTEXT,
            Ordinal.LOAD_KEY_CONTEXT,
            Ordinal.SAVE_AUTH_CONTEXT,
            Ordinal.LOAD_AUTH_CONTEXT,
            Ordinal.ESTABLISH_TRANSPORT,
            Ordinal.EXECUTE_TRANSPORT,
            Ordinal.RELEASE_TRANSPORT_SIGNED,
            Ordinal.READ_COUNTER,
            Ordinal.GET_TICKS,
            Ordinal.TICK_STAMP_BLOB,
            Ordinal.RESET,
            Ordinal.GET_AUDIT_DIGEST,
            Ordinal.GET_ORDINAL_AUDIT_STATUS,
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

    /** Commands whose success changes what the state does not show. */
    private static final Set<Ordinal> UNSEEN = Set.of(
            Ordinal.CHANGE_AUTH_OWNER,
            Ordinal.KEY_CONTROL_OWNER,
            Ordinal.CMK_SET_RESTRICTIONS,
            Ordinal.SET_OWNER_POINTER,
            Ordinal.CREATE_COUNTER,
            Ordinal.INCREMENT_COUNTER,
            Ordinal.RELEASE_COUNTER,
            Ordinal.RELEASE_COUNTER_OWNER,
            Ordinal.LOAD_MANU_MAINT_PUB,
            Ordinal.KILL_MAINTENANCE_FEATURE,
            Ordinal.LOAD_MAINTENANCE_ARCHIVE);

    private static final int AUTHFAIL = 0x1;
    private static final int AUTH2FAIL = 0x1D;

    /** Failures that are remembered beyond the command, apart from failed authorization: failure mode, lock-out. */
    private static final Set<Integer> LASTING_FAILURES = Set.of(0x9, 0x1C, 0x803);

    private final Target target;
    private final Map<Situation.Kept, Map<String, byte[]>> memory = new HashMap<>();
    private final List<Exchange> trace = new ArrayList<>();
    private final List<Session> open = new ArrayList<>();
    private final Map<String, byte[]> kept = new HashMap<>();
    /** Handles of the keys of the stock that are loaded while the situation lasts. */
    private final Map<StockKey, Integer> loaded = new HashMap<>();

    private BigInteger endorsementKey = BigInteger.TWO.pow(2047).add(BigInteger.ONE);
    private @Nullable Stock stock;
    private DaaCases.@Nullable Credential credential;
    private DaaIssuer.@Nullable Certificate certificate;
    private @Nullable Session transport;
    /** The one that all commands of the case go through. */
    private @Nullable TransportChannel wrapping;

    private TransportChannel.@Nullable Kind wrappingKind;
    private Random random = new Random(0);
    private Tpm12Client tpm;
    private final Map<Situation, List<String>> baselines = new EnumMap<>(Situation.class);
    private int locality;
    private boolean disturbed;
    private boolean lost;
    /** The TPM carried something out. */
    private boolean carriedOut;
    /** Something may be another that the state does not show. */
    private boolean unseenChange;

    private int failedAuthorizations;

    Probe(Target target) {
        this.target = target;
        this.tpm = new Tpm12Client(target, random);
    }

    /** Puts the TPM into a situation, without leaving lines. */
    void enter(Situation situation) throws IOException {
        Tpm12Client client = new Tpm12Client(target, new Random(0));
        if (!memory.containsKey(Situation.Kept.NO_OWNER)) {
            // Once there is an owner, the key cannot be read without his secret.
            Situation.NO_OWNER.enter(target, memory, client);
            Response key = client.execute(Ordinal.READ_PUBEK, client.nonce()).orFail();
            endorsementKey = Structures.modulus(key.body(), 0);
            Situation.OWNED.enter(target, memory, client);
            stock = Stock.of(client);
        }
        loaded.clear();
        locality = 0;
        situation.enter(target, memory, client);
        failedAuthorizations = 0;
        unseenChange = false;
        baselines.put(situation, state());
    }

    /**
     * Undoes what a case did, without leaving lines, as far as commands can.
     *
     * @return whether the TPM is in the situation again
     */
    boolean settle(Situation situation) throws IOException {
        if (unseenChange) {
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

    /** Starts a case of its own: no lines yet, locality 0, and nonces that depend on nothing else. */
    void begin(long seed) throws IOException {
        trace.clear();
        open.clear();
        kept.clear();
        transport = null;
        disturbed = false;
        lost = false;
        carriedOut = false;
        random = new Random(seed);
        wrapping = null;
        tpm = new Tpm12Client(target, random);
        locality(0);
    }

    /** Where the case's commands come from. */
    int locality() {
        return locality;
    }

    /** Has the case's further commands come from another locality than 0. */
    void locality(int to) throws IOException {
        if (to != locality) {
            target.locality(to);
            locality = to;
        }
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
        lost = true;
    }

    /** Whether the connection was lost in this case. */
    boolean isLost() {
        return lost;
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
        carriedOut |= response.ok();
        boolean guessed = (response.code() == AUTHFAIL || response.code() == AUTH2FAIL)
                && ByteBuffer.wrap(response.request()).getShort() != (short) Tpm12Client.TAG_RQU_COMMAND;
        if (guessed) {
            failedAuthorizations++;
        }
        unseenChange |= response.ok() && UNSEEN.contains(ordinal);
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
        return remember(response.ok() ? Tpm12Client.osapSession(response, entityType, nonceOdd, secret) : null);
    }

    /** Opens a DSAP session with a delegation's usual secret; one that no TPM knows if it is refused. */
    Session dsap(int entityType, int handle, byte[] entityValue) throws IOException {
        byte[] nonceOdd = nonce();
        byte[] parameters = concat(u16(entityType), u32(handle), nonceOdd, sized(entityValue));
        Response response = send(Ordinal.DSAP, parameters);
        return remember(
                response.ok() ? Tpm12Client.osapSession(response, entityType, nonceOdd, Secrets.delegate()) : null);
    }

    /** Opens the case's transport session, which does not encrypt. */
    void establishTransport(int attributes) throws IOException {
        byte[] parameters = concat(u16(0x1E), u32(attributes), u32(0), u16(0), sized(Secrets.transport()));
        Response response = send(Ordinal.ESTABLISH_TRANSPORT, u32(Structures.NO_TRANSPORT_KEY), parameters);
        transport = response.ok() ? Tpm12Client.transportSession(response) : null;
    }

    /** Opens a transport session for all further commands of the case, if the TPM allows it. */
    void wrap(TransportChannel.Kind kind) throws IOException {
        byte[] secret = Secrets.transport();
        boolean encrypted = kind.scheme() != TransportChannel.Scheme.PLAIN;
        byte[] sent = encrypted ? Structures.oaep(StockKey.LEGACY.pair().modulus(), concat(u16(0x1D), secret)) : secret;
        byte[] parameters = concat(kind.transPublic(), sized(sent));
        Response established = encrypted
                ? send(
                        Ordinal.ESTABLISH_TRANSPORT,
                        u32(loaded(StockKey.LEGACY)),
                        parameters,
                        Auth.once(oiap(), Secrets.key()))
                : send(Ordinal.ESTABLISH_TRANSPORT, u32(Structures.NO_TRANSPORT_KEY), parameters);
        if (established.ok()) {
            wrapping = new TransportChannel(
                    target, random, kind, established, secret, sent, this::modulus, this::recordTransport);
            wrappingKind = kind;
            tpm = new Tpm12Client(wrapping, random);
        }
    }

    /** Has the further commands go as they are, and ends the transport session: one that logs has its log signed. */
    void unwrap() throws IOException {
        TransportChannel ended = wrapping;
        if (ended == null || wrappingKind == null) {
            return;
        }
        wrapping = null;
        tpm = new Tpm12Client(target, random);
        if (!wrappingKind.logs()) {
            send(Ordinal.FLUSH_SPECIFIC, u32(ended.session().handle()), u32(Structures.RT_TRANS));
            return;
        }
        byte[] antiReplay = nonce();
        Response released = send(
                Ordinal.RELEASE_TRANSPORT_SIGNED,
                u32(loaded(StockKey.SIGN_OPEN)),
                antiReplay,
                Auth.once(ended.session(), Secrets.transport()));
        if (released.ok() && ended.logKnown()) {
            byte[] log = ended.signedLog(antiReplay, released.body());
            byte[] signature = Arrays.copyOfRange(released.body(), 40, released.body().length);
            // Logs differ between the TPMs: so does the line, unless both signed what they should.
            boolean genuine = Arrays.equals(StockKey.SIGN_OPEN.pair().sign(Wire.sha1(log)), signature);
            note(
                    genuine
                            ? "the log is signed"
                            : "the log is not " + HexFormat.of().formatHex(log));
        }
    }

    private void recordTransport(TransportChannel.Outer outer) {
        String line = Ordinal.EXECUTE_TRANSPORT + " -> tag 0x%x, code 0x%x".formatted(outer.tag(), outer.code());
        note(
                outer.code() != 0
                        ? line
                        : "%s: locality %d, %s, %s"
                                .formatted(
                                        line,
                                        outer.locality(),
                                        outer.open() ? "open" : "ended",
                                        outer.authentic() ? "authentic" : "not authentic"));
    }

    /** The public key of a handle, if it is one of the stock. */
    private Optional<byte[]> modulus(int handle) {
        if (handle == Structures.SRK) {
            return Optional.of(Wire.unsigned(stock().srk()));
        }
        if (handle == Structures.ENDORSEMENT_KEY) {
            return Optional.of(Wire.unsigned(endorsementKey));
        }
        return loaded.entrySet().stream()
                .filter(entry -> entry.getValue() == handle && handle != KEY_OF_NOBODY)
                .findFirst()
                .map(entry -> stock().modulus(entry.getKey()));
    }

    /** The case's transport session; one that no TPM knows if it has none. */
    Session transport() {
        return transport == null ? Session.unknown(SESSION_OF_NOBODY) : transport;
    }

    /** Keeps something that the case needs later. */
    void keep(String name, byte[] bytes) {
        kept.put(name, bytes);
    }

    /** What was kept by this name; if nothing was, bytes that say nothing. */
    byte[] kept(String name) {
        return kept.getOrDefault(name, new byte[64]);
    }

    /** Keeps for all further cases what came of a join; it stays good as long as the owner does. */
    void certify(DaaCases.Credential made, DaaIssuer.@Nullable Certificate by) {
        credential = made;
        certificate = by;
    }

    /** The TPM's part of what came of a join; null before there was one. */
    DaaCases.@Nullable Credential credential() {
        return credential;
    }

    /** The host's part. */
    DaaIssuer.@Nullable Certificate certificate() {
        return certificate;
    }

    /** What the owned TPM made for all cases. */
    Stock stock() {
        if (stock == null) {
            throw new IllegalStateException("the probe has been in no situation yet");
        }
        return stock;
    }

    /** The handle of a key of the stock, which stays loaded; where no key can be loaded, one that no TPM knows. */
    int loaded(StockKey key) throws IOException {
        Integer known = loaded.get(key);
        if (known == null) {
            known = load(key);
            loaded.put(key, known);
        }
        return known;
    }

    private int load(StockKey key) throws IOException {
        Response session = tpm.execute(Ordinal.OIAP, NONE);
        if (!session.ok()) {
            return KEY_OF_NOBODY;
        }
        Session parent = Tpm12Client.oiapSession(session);
        Response response =
                tpm.execute(Ordinal.LOAD_KEY2, u32(Structures.SRK), stock().key(key), Auth.once(parent, Secrets.srk()));
        if (response.ok()) {
            return response.u32(0);
        }
        tpm.execute(Ordinal.FLUSH_SPECIFIC, u32(parent.handle()), u32(Structures.RT_AUTH));
        return KEY_OF_NOBODY;
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
        if (!carriedOut) {
            return;
        }
        // What a case opened by bytes of its own, or loaded.
        for (int type : new int[] {Structures.RT_AUTH, Structures.RT_TRANS, Structures.RT_DAA}) {
            for (int handle : handles(type)) {
                tpm.execute(Ordinal.FLUSH_SPECIFIC, u32(handle), u32(type));
            }
        }
        List<Integer> keys = handles(Structures.RT_KEY);
        loaded.values().removeIf(handle -> handle != KEY_OF_NOBODY && !keys.contains(handle));
        for (int handle : keys) {
            if (!loaded.containsValue(handle)) {
                tpm.execute(Ordinal.FLUSH_SPECIFIC, u32(handle), u32(Structures.RT_KEY));
            }
        }
    }

    private List<Integer> handles(int type) throws IOException {
        List<Integer> handles = new ArrayList<>();
        Response answer = tpm.getCapability(Structures.CAP_HANDLE, u32(type));
        if (answer.ok()) {
            ByteBuffer list = ByteBuffer.wrap(answer.body(), 4, answer.body().length - 4);
            for (int left = list.getShort(); left > 0; left--) {
                handles.add(list.getInt());
            }
        }
        return handles;
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
        // Owner, free space for NV, available sessions and counters.
        for (int property : new int[] {0x111, 0x123, 0x10A, 0x10C}) {
            capability(Structures.CAP_PROPERTY, u32(property));
        }
        capability(Structures.CAP_NV_LIST, NONE);
        for (int index : new int[] {Secrets.OPEN_AREA, Secrets.OWNER_AREA, Secrets.AUTH_AREA, Secrets.FREE_INDEX}) {
            capability(Structures.CAP_NV_INDEX, u32(index));
        }
        send(Ordinal.NV_READ_VALUE, concat(u32(Secrets.OPEN_AREA), u32(0), u32(Secrets.AREA_SIZE)));
        send(Ordinal.DELEGATE_READ_TABLE, NONE);
    }

    private void capability(int area, byte[] sub) throws IOException {
        send(Ordinal.GET_CAPABILITY, concat(u32(area), sized(sub)));
    }

    @Override
    public void close() {
        target.close();
    }
}
