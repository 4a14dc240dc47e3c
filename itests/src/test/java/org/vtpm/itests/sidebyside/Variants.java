package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
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
    private static final int SHOWN_BYTES = 20;
    private static final int[] TAGS = {0, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0x8001, 0xFFFF};
    private static final int[] TRAILERS = {1, 2, 4, 20, 45};
    private static final byte[] WRONG_SECRET =
            new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

    private final Request request;
    private final List<Case> cases = new ArrayList<>();

    private Variants(Request request) {
        this.request = request;
    }

    /** The request as it should be, and with authorization that is wrong. */
    static List<Case> wellFramed(Request request) {
        Variants variants = new Variants(request);
        variants.add("well-formed", probe -> variants.send(probe, Map.of()));
        if (request.authorized()) {
            variants.authorizations();
        } else {
            variants.add(
                    "a session too many",
                    probe -> variants.send(
                            probe, Map.of(), Session.unknown(0), Auth.once(probe.oiap(), Secrets.owner())));
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

    /** The variants of a request whose form is wrong. */
    static List<Case> malformed(Request request) {
        Variants variants = new Variants(request);
        variants.truncations();
        for (int length : TRAILERS) {
            variants.add(
                    length + " bytes too many",
                    probe -> variants.sendFramed(
                            probe, variants.tag(), concat(variants.plain(probe), new byte[length])));
        }
        for (int tag : TAGS) {
            if (tag != variants.tag()) {
                variants.add(
                        "tag 0x%x".formatted(tag), probe -> variants.sendFramed(probe, tag, variants.plain(probe)));
            }
        }
        if (request.authorized()) {
            variants.add("no session", probe -> {
                byte[] bare = variants.plain(probe);
                variants.sendFramed(probe, Tpm12Client.TAG_RQU_COMMAND, Arrays.copyOf(bare, bare.length - 45));
            });
            variants.add("continueAuthSession 2", probe -> {
                byte[] bytes = variants.plain(probe);
                bytes[bytes.length - 21] = 2;
                variants.sendFramed(probe, variants.tag(), bytes);
            });
        }
        variants.sizes();
        return variants.cases;
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
            for (byte[] other : fields.get(i).others()) {
                add(fields.get(i).name() + " " + abbreviated(other), probe -> send(probe, Map.of(at, other)));
            }
        }
    }

    private void mixes(Random random) {
        List<Field> fields = request.fields();
        for (int mix = 0; mix < RANDOM_MIXES && fields.size() > 1; mix++) {
            Map<Integer, byte[]> values = new TreeMap<>();
            StringBuilder name = new StringBuilder("mix of");
            for (int i = 0; i < fields.size(); i++) {
                List<byte[]> others = fields.get(i).others();
                if (!others.isEmpty() && random.nextInt(4) == 0) {
                    byte[] other = others.get(random.nextInt(others.size()));
                    values.put(i, other);
                    name.append(" ").append(fields.get(i).name()).append(" ").append(abbreviated(other));
                }
            }
            if (values.size() > 1) {
                add(name.toString(), probe -> send(probe, values));
            }
        }
    }

    private void authorizations() {
        byte[] secret = request.authority().secret();
        add("session goes on", probe -> {
            Session session = request.authority().open(probe);
            send(probe, Map.of(), session, Auth.continued(session, secret));
        });
        add("wrong HMAC", probe -> {
            Session session = request.authority().open(probe);
            send(probe, Map.of(), session, Auth.wrong(session, secret));
        });
        add("wrong secret", probe -> {
            Session session = probe.oiap();
            send(probe, Map.of(), session, Auth.once(session, WRONG_SECRET));
        });
        add("unknown session", probe -> {
            Session session = Session.unknown(0x01234567);
            send(probe, Map.of(), session, Auth.once(session, secret));
        });
        add("OIAP", probe -> {
            Session session = probe.oiap();
            send(probe, Map.of(), session, Auth.once(session, secret));
        });
        add("OSAP for the owner", probe -> {
            Session session = probe.osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner());
            send(probe, Map.of(), session, Auth.once(session, secret));
        });
        add("OSAP for the owner with a wrong secret", probe -> {
            Session session = probe.osap(Structures.ET_OWNER, Structures.OWNER, WRONG_SECRET);
            send(probe, Map.of(), session, Auth.once(session, secret));
        });
        add("OSAP for the storage root key", probe -> {
            Session session = probe.osap(Structures.ET_SRK, Structures.SRK, Secrets.srk());
            send(probe, Map.of(), session, Auth.once(session, secret));
        });
        add("a session that is closed", probe -> {
            Session session = request.authority().open(probe);
            probe.send(Ordinal.TERMINATE_HANDLE, u32(session.handle()), new byte[0]);
            send(probe, Map.of(), session, Auth.once(session, secret));
        });
        add("two sessions", probe -> {
            Session session = request.authority().open(probe);
            send(probe, Map.of(), session, Auth.once(session, secret), Auth.once(probe.oiap(), secret));
        });
    }

    private void truncations() {
        // How long a request is does not depend on the TPM, but on fields that only a probe can make.
        add("truncated at every byte", probe -> {
            byte[] whole = plain(probe);
            for (int length = 0; length < whole.length; length++) {
                probe.note("to " + length + " bytes");
                sendFramed(probe, tag(), Arrays.copyOf(whole, length));
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
        return Tpm12Client.TAG_RQU_COMMAND + (request.authorized() ? 1 : 0);
    }

    /** The request's bytes behind the header, authorized by a session that does not exist. */
    private byte[] plain(Probe probe) throws IOException {
        Session nobody = Session.unknown(0x01234567);
        byte[] body = concat(handles(probe, nobody, Map.of()), parameters(probe, nobody, Map.of()));
        return request.authorized() ? concat(body, u32(nobody.handle()), new byte[20], u8(0), new byte[20]) : body;
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

    private void send(Probe probe, Map<Integer, byte[]> values) throws IOException {
        if (request.authorized()) {
            Session session = request.authority().open(probe);
            send(probe, values, session, Auth.once(session, request.authority().secret()));
        } else {
            send(probe, values, Session.unknown(0));
        }
    }

    private void send(Probe probe, Map<Integer, byte[]> values, Session session, Auth... auths) throws IOException {
        probe.send(request.ordinal(), handles(probe, session, values), parameters(probe, session, values), auths);
    }

    private byte[] handles(Probe probe, Session session, Map<Integer, byte[]> values) throws IOException {
        return bytes(request.handles(), 0, probe, session, values);
    }

    private byte[] parameters(Probe probe, Session session, Map<Integer, byte[]> values) throws IOException {
        return bytes(request.parameters(), request.handles().size(), probe, session, values);
    }

    private static byte[] bytes(
            List<Field> fields, int first, Probe probe, Session session, Map<Integer, byte[]> values)
            throws IOException {
        byte[] bytes = {};
        for (int i = 0; i < fields.size(); i++) {
            byte[] value = values.get(first + i);
            bytes = concat(bytes, value == null ? fields.get(i).valid().of(probe, session) : value);
        }
        return bytes;
    }

    private static String abbreviated(byte[] value) {
        String hex = HexFormat.of().formatHex(value, 0, Math.min(value.length, SHOWN_BYTES));
        return value.length > SHOWN_BYTES ? hex + "... (" + value.length + " bytes)" : hex;
    }
}
