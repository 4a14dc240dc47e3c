package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** All the ways in which one request is sent: as it should be, and wrong in every part. */
final class Variants {
    private static final int HEADER = 10;
    private static final int RANDOM_MIXES = 8;
    private static final int AUTH_BLOCK = 45;
    /** So many bytes at either end of a request are cut off one by one. */
    private static final int MOST_AT_AN_END = 48;

    private static final int[] TAGS = {0, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0x8001, 0xFFFF};
    private static final int[] CUTS = {0, 9, 10, 12, 13, 14, 18, -65, -46, -45, -44, -20, -1};
    private static final int[] TRAILERS = {1, 2, 4, 20, 45};
    private static final byte[] WRONG_SECRET =
            new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

    private final Request request;
    private final List<Case> cases = new ArrayList<>();

    private Variants(Request request) {
        this.request = request;
    }

    /** The request as it should be. */
    static Case wellFormed(Request request) {
        return wellFramed(request).get(0);
    }

    /** The request with another value in each of its fields in turn. */
    static List<Case> withOtherFields(Request request) {
        Variants variants = new Variants(request);
        variants.fields();
        return variants.cases;
    }

    /** The request as it should be, and with authorization that is wrong. */
    static List<Case> wellFramed(Request request) {
        Variants variants = new Variants(request);
        variants.add("well-formed", probe -> variants.send(probe, Map.of()));
        if (request.authorized()) {
            for (int block = 0; block < request.authorities().size(); block++) {
                variants.authorizations(block);
            }
            variants.sessionsTogether();
        } else {
            variants.add(
                    "a session too many",
                    probe -> variants.send(probe, Map.of(), List.of(Auth.once(probe.oiap(), Secrets.owner()))));
        }
        return variants.cases;
    }

    /** The request with other values in its fields: each of them in turn, and several at once. */
    static List<Case> withOtherValues(Request request, long seed) {
        Variants variants = new Variants(request);
        variants.fields();
        variants.mixes(new Random(seed));
        return variants.cases;
    }

    /** The request cut off in some places, each a case of its own: for sessions that a malformed request ends. */
    static List<Case> cut(Request request) {
        Variants variants = new Variants(request);
        for (int length : CUTS) {
            variants.add(length < 0 ? "cut by " + -length : "cut to " + length, probe -> {
                byte[] whole =
                        Tpm12Client.frame(variants.tag(), request.ordinal().code(), variants.plain(probe));
                byte[] cut = Arrays.copyOf(whole, Math.max(0, length < 0 ? whole.length + length : length));
                if (cut.length >= HEADER) {
                    setSize(cut, cut.length);
                }
                probe.transmit(request.ordinal(), new byte[0], cut);
            });
        }
        return variants.cases;
    }

    /** The variants of a request whose form is wrong. */
    static List<Case> malformed(Request request) {
        Variants variants = new Variants(request);
        variants.truncations();
        variants.framed();
        return variants.cases;
    }

    /** The same but for requests that are cut off. */
    static List<Case> misframed(Request request) {
        Variants variants = new Variants(request);
        variants.framed();
        return variants.cases;
    }

    private void framed() {
        for (int length : TRAILERS) {
            add(length + " bytes too many", probe -> sendFramed(probe, tag(), concat(plain(probe), new byte[length])));
        }
        for (int tag : TAGS) {
            if (tag != tag()) {
                add("tag 0x%x".formatted(tag), probe -> sendFramed(probe, tag, plain(probe)));
            }
        }
        if (request.authorized()) {
            for (int fewer = 1; fewer <= request.authorities().size(); fewer++) {
                int missing = fewer;
                add(fewer + " sessions fewer", probe -> {
                    byte[] bare = plain(probe);
                    sendFramed(probe, tag() - missing, Arrays.copyOf(bare, bare.length - missing * AUTH_BLOCK));
                });
            }
            add("continueAuthSession 2", probe -> {
                byte[] bytes = plain(probe);
                bytes[bytes.length - 21] = 2;
                sendFramed(probe, tag(), bytes);
            });
        }
        sizes();
    }

    private void add(String name, Case.Action action) {
        cases.add(new Case(request.label() + ": " + name, probe -> {
            if (request.before() != null) {
                request.before().run(probe);
            }
            action.run(probe);
        }));
    }

    private void fields() {
        List<Field> fields = request.fields();
        for (int i = 0; i < fields.size(); i++) {
            int at = i;
            for (Field.Other other : fields.get(i).others()) {
                add(fields.get(i).name() + " " + other.name(), probe -> send(probe, Map.of(at, other.value())));
            }
        }
    }

    private void mixes(Random random) {
        List<Field> fields = request.fields();
        for (int mix = 0; mix < RANDOM_MIXES && fields.size() > 1; mix++) {
            Map<Integer, Field.Value> values = new TreeMap<>();
            StringBuilder name = new StringBuilder("mix of");
            for (int i = 0; i < fields.size(); i++) {
                List<Field.Other> others = fields.get(i).others();
                if (!others.isEmpty() && random.nextInt(4) == 0) {
                    Field.Other other = others.get(random.nextInt(others.size()));
                    values.put(i, other.value());
                    name.append(" ").append(fields.get(i).name()).append(" ").append(other.name());
                }
            }
            if (values.size() > 1) {
                add(name.toString(), probe -> send(probe, values));
            }
        }
    }

    /** Makes one block's authorization another one; the others are as they should be. */
    @FunctionalInterface
    private interface Spoiler {
        Auth of(Probe probe, byte[] secret) throws IOException;
    }

    private void authorizations(int block) {
        Authority authority = request.authorities().get(block);
        String where = block == 0 ? "" : "second: ";
        spoiled(where + "session goes on", block, (probe, secret) -> Auth.continued(authority.open(probe), secret));
        spoiled(where + "wrong HMAC", block, (probe, secret) -> Auth.wrong(authority.open(probe), secret));
        spoiled(where + "wrong secret", block, (probe, secret) -> Auth.once(probe.oiap(), WRONG_SECRET));
        spoiled(where + "unknown session", block, (probe, secret) -> Auth.once(Session.unknown(0x01234567), secret));
        spoiled(where + "OIAP", block, (probe, secret) -> Auth.once(probe.oiap(), secret));
        spoiled(
                where + "OSAP for the owner",
                block,
                (probe, secret) ->
                        Auth.once(probe.osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner()), secret));
        spoiled(
                where + "OSAP for the owner with a wrong secret",
                block,
                (probe, secret) -> Auth.once(probe.osap(Structures.ET_OWNER, Structures.OWNER, WRONG_SECRET), secret));
        spoiled(
                where + "OSAP for the storage root key",
                block,
                (probe, secret) -> Auth.once(probe.osap(Structures.ET_SRK, Structures.SRK, Secrets.srk()), secret));
        spoiled(where + "a session that is closed", block, (probe, secret) -> {
            Session session = authority.open(probe);
            probe.send(Ordinal.TERMINATE_HANDLE, u32(session.handle()), new byte[0]);
            return Auth.once(session, secret);
        });
    }

    private void spoiled(String name, int block, Spoiler spoiler) {
        add(name, probe -> {
            List<Auth> auths = new ArrayList<>();
            for (int i = 0; i < request.authorities().size(); i++) {
                Authority authority = request.authorities().get(i);
                auths.add(
                        i == block
                                ? spoiler.of(probe, authority.secret())
                                : Auth.once(authority.open(probe), authority.secret()));
            }
            send(probe, Map.of(), auths);
        });
    }

    private void sessionsTogether() {
        if (request.authorities().size() == 1) {
            add("two sessions", probe -> {
                List<Auth> auths = new ArrayList<>(auths(probe));
                auths.add(Auth.once(probe.oiap(), request.authorities().get(0).secret()));
                send(probe, Map.of(), auths);
            });
        } else {
            add(
                    "the first session alone",
                    probe -> send(probe, Map.of(), auths(probe).subList(0, 1)));
            add(
                    "the second session alone",
                    probe -> send(probe, Map.of(), auths(probe).subList(1, 2)));
            add("the sessions the other way round", probe -> {
                List<Auth> auths = auths(probe);
                send(probe, Map.of(), List.of(auths.get(1), auths.get(0)));
            });
            add("one session twice", probe -> {
                Auth auth = auths(probe).get(0);
                send(probe, Map.of(), List.of(auth, auth));
            });
        }
    }

    private void truncations() {
        // How long a request is does not depend on the TPM, but on fields that only a probe can make.
        add("truncated", probe -> {
            byte[] whole = plain(probe);
            for (int length = 0; length < whole.length; length++) {
                // Within long fields all is alike; and what a TPM made may be longer on one of them.
                int left = whole.length - length;
                if (length < MOST_AT_AN_END || left <= MOST_AT_AN_END) {
                    probe.note(length < MOST_AT_AN_END ? "to " + length + " bytes" : "by " + left + " bytes");
                    sendFramed(probe, tag(), Arrays.copyOf(whole, length));
                }
            }
        });
    }

    private void sizes() {
        for (int difference : new int[] {-1, 1, 1000}) {
            add("size field %+d".formatted(difference), probe -> {
                byte[] command = Tpm12Client.frame(tag(), request.ordinal().code(), plain(probe));
                setSize(command, command.length + difference);
                probe.transmit(request.ordinal(), parameters(command), command);
            });
        }
        for (int size : new int[] {0, 1, HEADER - 1, HEADER, 4096, 4097, 0x7FFFFFFF, -1}) {
            add("size field " + size, probe -> {
                byte[] command = Tpm12Client.frame(tag(), request.ordinal().code(), plain(probe));
                if (command.length != size) {
                    setSize(command, size);
                    probe.transmit(request.ordinal(), parameters(command), command);
                }
            });
        }
    }

    private int tag() {
        return Tpm12Client.TAG_RQU_COMMAND + request.authorities().size();
    }

    /** The request's bytes behind the header, authorized by a session that does not exist. */
    private byte[] plain(Probe probe) throws IOException {
        Session nobody = Session.unknown(0x01234567);
        byte[] body = concat(handles(probe, nobody, Map.of()), parameters(probe, nobody, Map.of()));
        for (int block = 0; block < request.authorities().size(); block++) {
            body = concat(body, u32(nobody.handle()), new byte[20], u8(0), new byte[20]);
        }
        return body;
    }

    private void sendFramed(Probe probe, int tag, byte[] body) throws IOException {
        byte[] command = Tpm12Client.frame(tag, request.ordinal().code(), body);
        probe.transmit(request.ordinal(), parameters(command), command);
    }

    private static byte[] parameters(byte[] command) {
        return Arrays.copyOfRange(command, HEADER, command.length);
    }

    private static void setSize(byte[] command, int size) {
        System.arraycopy(u32(size), 0, command, 2, 4);
    }

    private List<Auth> auths(Probe probe) throws IOException {
        List<Auth> auths = new ArrayList<>();
        for (Authority authority : request.authorities()) {
            auths.add(Auth.once(authority.open(probe), authority.secret()));
        }
        return auths;
    }

    private void send(Probe probe, Map<Integer, Field.Value> values) throws IOException {
        send(probe, values, auths(probe));
    }

    private void send(Probe probe, Map<Integer, Field.Value> values, List<Auth> auths) throws IOException {
        Session encrypting = auths.stream()
                .map(Auth::session)
                .filter(Session::encryptsSecrets)
                .findFirst()
                .orElse(auths.isEmpty() ? Session.unknown(0) : auths.get(0).session());
        probe.send(
                request.ordinal(),
                handles(probe, encrypting, values),
                parameters(probe, encrypting, values),
                auths.toArray(Auth[]::new));
    }

    private byte[] handles(Probe probe, Session session, Map<Integer, Field.Value> values) throws IOException {
        return bytes(request.handles(), 0, probe, session, values);
    }

    private byte[] parameters(Probe probe, Session session, Map<Integer, Field.Value> values) throws IOException {
        return bytes(request.parameters(), request.handles().size(), probe, session, values);
    }

    private static byte[] bytes(
            List<Field> fields, int first, Probe probe, Session session, Map<Integer, Field.Value> values)
            throws IOException {
        byte[] bytes = {};
        for (int i = 0; i < fields.size(); i++) {
            bytes = concat(
                    bytes, values.getOrDefault(first + i, fields.get(i).valid()).of(probe, session));
        }
        return bytes;
    }
}
