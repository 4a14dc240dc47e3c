package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.sidebyside.Field.bool;
import static org.vtpm.itests.sidebyside.Field.counted;
import static org.vtpm.itests.sidebyside.Field.encrypted;
import static org.vtpm.itests.sidebyside.Field.live;
import static org.vtpm.itests.sidebyside.Field.number16;
import static org.vtpm.itests.sidebyside.Field.number32;
import static org.vtpm.itests.sidebyside.Field.number8;
import static org.vtpm.itests.sidebyside.Field.opaque;
import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Structures;

/** The well-formed request of every command (TPM Main Part 3), field by field. */
final class Requests {
    private static final int[] STRANGE_PCRS = {0, 15, 16, 17, 20, 22, 23, 24, 255, -1};

    private Requests() {}

    static List<Request> all() {
        List<Request> all = new ArrayList<>();
        all.addAll(startup());
        all.addAll(optIn());
        all.addAll(ownership());
        all.addAll(capabilities());
        all.addAll(integrity());
        all.addAll(sessions());
        all.addAll(storage());
        all.addAll(KeyRequests.all());
        all.addAll(SealRequests.all());
        all.addAll(SigningRequests.all());
        all.addAll(MigrationRequests.all());
        all.addAll(DelegationRequests.all());
        all.addAll(SessionRequests.all());
        all.addAll(OwnerRequests.all());
        return all;
    }

    private static List<Request> startup() {
        return List.of(
                Request.of(Ordinal.INIT),
                Request.of(Ordinal.STARTUP, number16("startupType", Structures.ST_CLEAR, 0, 2, 3, 4, 0xFFFF)),
                Request.of(Ordinal.SAVE_STATE),
                Request.of(Ordinal.SELF_TEST_FULL),
                Request.of(Ordinal.CONTINUE_SELF_TEST),
                Request.of(Ordinal.GET_TEST_RESULT));
    }

    private static List<Request> optIn() {
        return List.of(
                Request.of(Ordinal.SET_OWNER_INSTALL, bool("state", true)),
                Request.of(Ordinal.OWNER_SET_DISABLE, Authority.OWNER_OIAP, bool("disableState", false)),
                Request.of(Ordinal.PHYSICAL_ENABLE),
                Request.of(Ordinal.PHYSICAL_DISABLE),
                Request.of(Ordinal.PHYSICAL_SET_DEACTIVATED, bool("state", false)),
                Request.of(Ordinal.SET_TEMP_DEACTIVATED),
                Request.of(Ordinal.SET_TEMP_DEACTIVATED, Authority.OPERATOR),
                Request.of(Ordinal.SET_OPERATOR_AUTH, opaque("operatorAuth", Secrets.operator())),
                Request.of(
                        Ordinal.TSC_PHYSICAL_PRESENCE,
                        number16(
                                "physicalPresence",
                                0x20,
                                0,
                                0x04,
                                0x08,
                                0x0C,
                                0x10,
                                0x18,
                                0x28,
                                0x40,
                                0x60,
                                0x80,
                                0x100,
                                0x180,
                                0x200,
                                0x220,
                                0x400,
                                0x8000,
                                0xFFFF)),
                Request.of(Ordinal.TSC_RESET_ESTABLISHMENT_BIT));
    }

    private static List<Request> ownership() {
        return List.of(
                Request.of(
                        Ordinal.TAKE_OWNERSHIP,
                        Authority.OWNER_OIAP,
                        number16("protocolID", 5, 0, 1, 4, 6, 0xFFFF),
                        live(
                                "encOwnerAuth",
                                (probe, session) -> sized(probe.encryptForEk(Secrets.owner())),
                                wrongSecrets()),
                        live(
                                "encSrkAuth",
                                (probe, session) -> sized(probe.encryptForEk(Secrets.srk())),
                                wrongSecrets()),
                        number32("ver", 0x01010000, 0, 0x01020000, 0x02010000, 0x0101FFFF, 0x00280000, 0x00280001),
                        number16("keyUsage", 0x11, 0, 0x10, 0x12, 0x14, 0x15, 0xFFFF),
                        number32("keyFlags", 0, 1, 2, 4, 8, 0x10, 0x20, -1),
                        number8("authDataUsage", 1, 0, 2, 3, 0x11, 0xFF),
                        number32("algorithmID", 1, 0, 2, 6, 0x0A, -1),
                        number16("encScheme", 3, 0, 1, 2, 4),
                        number16("sigScheme", 1, 0, 2, 3, 4),
                        number32("parmSize", 12, 0, 0x1000, -1),
                        number32("keyLength", 2048, 0, 512, 1024, 2047, -1),
                        number32("numPrimes", 2, 0, 1, 3, -1),
                        number32("exponentSize", 0, 1, 3, -1),
                        number32("PCRInfoSize", 0, 0x200, -1),
                        number32("pubKey.keyLength", 0, 0x200, -1),
                        number32("encDataSize", 0, 0x200, -1)),
                Request.of(Ordinal.OWNER_CLEAR, Authority.OWNER_OIAP),
                Request.of(Ordinal.DISABLE_OWNER_CLEAR, Authority.OWNER_OIAP),
                Request.of(Ordinal.FORCE_CLEAR),
                Request.of(Ordinal.DISABLE_FORCE_CLEAR),
                Request.of(Ordinal.CREATE_ENDORSEMENT_KEY_PAIR, endorsementKey()),
                Request.of(
                        Ordinal.CREATE_REVOCABLE_EK,
                        endorsementKey(bool("generateReset", true), opaque("inputEKreset", zeros()))),
                Request.of(Ordinal.REVOKE_TRUST, opaque("EKReset", zeros())),
                Request.of(Ordinal.REVOKE_TRUST, opaque("EKReset", zeros()))
                        .after(Requests::createRevocableKey)
                        .labelled("of a revocable key")
                        .inFewCases(),
                Request.of(Ordinal.READ_PUBEK, opaque("antiReplay", zeros())),
                Request.of(Ordinal.OWNER_READ_PUBEK, Authority.OWNER_OIAP),
                Request.of(Ordinal.DISABLE_PUBEK_READ, Authority.OWNER_OIAP),
                Request.of(
                        Ordinal.OWNER_READ_INTERNAL_PUB,
                        Authority.OWNER_OIAP,
                        number32(
                                "keyHandle",
                                Structures.SRK,
                                Structures.ENDORSEMENT_KEY,
                                Structures.OWNER,
                                0x40000002,
                                0x40000007,
                                0,
                                -1)),
                Request.of(
                        Ordinal.CHANGE_AUTH_OWNER,
                        Authority.OWNER_OSAP,
                        number16("protocolID", 4, 0, 1, 3, 5, 0xFFFF),
                        encrypted("newAuth", Secrets.owner()),
                        number16("entityType", Structures.ET_OWNER, 0, 1, 3, 4, 5, 0x0602, 0xFFFF)),
                Request.of(Ordinal.RESET_LOCK_VALUE, Authority.OWNER_OIAP));
    }

    private static void createRevocableKey(Probe probe) throws IOException {
        for (int presence : new int[] {0x20, 0x08}) {
            probe.send(Ordinal.TSC_PHYSICAL_PRESENCE, u16(presence));
        }
        probe.send(Ordinal.CREATE_REVOCABLE_EK, concat(zeros(), Structures.rsaParms(3, 1, 2048), u8(0), zeros()));
    }

    /** What a request for an endorsement key begins with. */
    private static Field[] endorsementKey(Field... more) {
        List<Field> fields = new ArrayList<>(List.of(
                opaque("antiReplay", zeros()),
                number32("algorithmID", 1, 0, 2, 6),
                number16("encScheme", 3, 0, 2, 4),
                number16("sigScheme", 1, 0, 2),
                number32("parmSize", 12, 0, 0x1000, -1),
                number32("keyLength", 2048, 0, 512, 1024, 2047, -1),
                number32("numPrimes", 2, 0, 1, 3),
                number32("exponentSize", 0, 1, 3, -1)));
        fields.addAll(List.of(more));
        return fields.toArray(Field[]::new);
    }

    /** Cryptograms that are none, of the right and of wrong lengths. */
    private static List<byte[]> wrongSecrets() {
        return List.of(
                sized(new byte[256]),
                sized(new byte[255]),
                sized(new byte[257]),
                sized(new byte[0]),
                u32(0x1000),
                u32(-1));
    }

    private static List<Request> capabilities() {
        Field area = number32("capArea", Structures.CAP_FLAG, 0, 1, 2, 3, 5, 6, 8, 9, 0x0B, 0x15, 0x17, 0x19, 0x1B, -1);
        Field sub = counted("subCap", u32(0x108), 0, 1, 2, 3, 5);
        Field set = number32("capArea", 1, 0, 2, 3, 4, 5, 6, 7, 8, -1);
        Field index = counted("subCap", u32(17), 0, 1, 3, 5);
        Field value = counted("setValue", u8(1), 0, 2, 4);
        Field setting = live("setting", (probe, session) -> setting(1, 17, u8(1)), settings());
        return List.of(
                Request.of(Ordinal.GET_CAPABILITY, area, sub),
                Request.of(
                                Ordinal.GET_CAPABILITY,
                                number32("capArea", Structures.CAP_HANDLE, 0x07, 0x0C),
                                number32("subCapSize", 4),
                                number32("resourceType", 1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1))
                        .labelled("of handles"),
                Request.of(Ordinal.GET_CAPABILITY_OWNER, Authority.OWNER_OIAP),
                Request.of(Ordinal.SET_CAPABILITY, set, index, value),
                Request.of(Ordinal.SET_CAPABILITY, Authority.OWNER_OIAP, set, index, value),
                Request.of(Ordinal.SET_CAPABILITY, setting).labelled("of everything"),
                Request.of(Ordinal.SET_CAPABILITY, Authority.OWNER_OIAP, setting)
                        .labelled("of everything"));
    }

    /** Everything that TPM_SetCapability can change (Part 2, section 21.3). */
    static List<byte[]> settings() {
        List<byte[]> settings = new ArrayList<>();
        for (int value : new int[] {0, 1}) {
            for (int flag : new int[] {1, 2, 3, 4, 5, 6, 17, 18, 20}) {
                settings.add(setting(1, flag, u8(value)));
            }
            settings.add(setting(3, 2, u8(value)));
            settings.add(setting(5, 4, u8(value)));
            settings.add(setting(2, 23, u32(value)));
            settings.add(setting(2, 25, u32(value)));
            settings.add(setting(4, 6, u32(value)));
        }
        settings.add(setting(1, 4, u8(2)));
        settings.add(setting(3, 2, u8(2)));
        return settings;
    }

    static byte[] setting(int area, int field, byte[] value) {
        return concat(u32(area), sized(u32(field)), sized(value));
    }

    private static List<Request> integrity() {
        return List.of(
                Request.of(Ordinal.EXTEND, number32("pcrNum", 8, STRANGE_PCRS), opaque("inDigest", zeros())),
                Request.of(Ordinal.PCR_READ, number32("pcrIndex", 8, STRANGE_PCRS)),
                Request.of(
                        Ordinal.PCR_RESET,
                        number16("sizeOfSelect", 3, 0, 1, 2, 4, 0xFFFF),
                        live(
                                "pcrSelect",
                                (probe, session) -> new byte[] {0, 0, 1},
                                List.of(
                                        new byte[] {0, 0, 0},
                                        new byte[] {1, 0, 0},
                                        new byte[] {0, 0, (byte) 0x81},
                                        new byte[] {0, 0, 2},
                                        new byte[] {0, 0, 0x10},
                                        new byte[] {0, 1, 1}))),
                Request.of(Ordinal.SHA1_START),
                Request.of(Ordinal.SHA1_UPDATE, counted("hashData", new byte[64], 0, 1, 63, 65, 128, 2048, 2112))
                        .after(Requests::startHash),
                Request.of(Ordinal.SHA1_COMPLETE, counted("hashData", new byte[3], 0, 63, 64, 65, 128))
                        .after(Requests::startHash),
                Request.of(
                                Ordinal.SHA1_COMPLETE_EXTEND,
                                number32("pcrNum", 8, STRANGE_PCRS),
                                counted("hashData", new byte[3], 0, 63, 64, 65, 128))
                        .after(Requests::startHash),
                Request.of(Ordinal.SHA1_COMPLETE, counted("hashData", new byte[3]))
                        .labelled("without a start"),
                Request.of(Ordinal.GET_RANDOM, number32("bytesRequested", 16, 0, 1, 2048, 4096, 0x10000, -1)),
                Request.of(Ordinal.STIR_RANDOM, counted("inData", new byte[16], 0, 1, 255, 256, 257)));
    }

    private static void startHash(Probe probe) throws IOException {
        probe.send(Ordinal.SHA1_START, new byte[0]);
    }

    private static List<Request> sessions() {
        Field handle = live(
                "handle",
                (probe, session) -> u32(probe.oiap().handle()),
                List.of(u32(0), u32(1), u32(Structures.SRK), u32(Structures.OWNER), u32(-1)));
        return List.of(
                Request.of(Ordinal.OIAP),
                Request.of(
                        Ordinal.OSAP,
                        number16(
                                "entityType",
                                Structures.ET_OWNER,
                                0,
                                1,
                                Structures.ET_SRK,
                                5,
                                0x0A,
                                0x0B,
                                0x0C,
                                Structures.ADIP_AES_CTR | Structures.ET_OWNER,
                                0x0702,
                                0xFF02,
                                0x63),
                        number32("entityValue", Structures.OWNER, 0, Structures.SRK, 0x40000004, 0x40000006, 1, -1),
                        opaque("nonceOddOSAP", zeros())),
                Request.of(Ordinal.TERMINATE_HANDLE).withHandles(handle),
                Request.of(
                                Ordinal.FLUSH_SPECIFIC,
                                number32("resourceType", Structures.RT_AUTH, 0, 1, 3, 4, 5, 6, 7, 8, 9, 0x10, -1))
                        .withHandles(handle));
    }

    private static List<Request> storage() {
        Field auth = opaque("encAuth", Secrets.area());
        List<Request> requests = new ArrayList<>();
        requests.add(Request.of(Ordinal.NV_DEFINE_SPACE, area(auth)));
        requests.add(
                Request.of(Ordinal.NV_DEFINE_SPACE, Authority.OWNER_OSAP, area(encrypted("encAuth", Secrets.area()))));
        requests.add(Request.of(Ordinal.NV_WRITE_VALUE, write(Secrets.OPEN_AREA)));
        requests.add(Request.of(Ordinal.NV_WRITE_VALUE, Authority.OWNER_OIAP, write(Secrets.OWNER_AREA)));
        requests.add(Request.of(Ordinal.NV_WRITE_VALUE_AUTH, Authority.AREA, write(Secrets.AUTH_AREA)));
        requests.add(Request.of(Ordinal.NV_READ_VALUE, read(Secrets.OPEN_AREA)));
        requests.add(Request.of(Ordinal.NV_READ_VALUE, Authority.OWNER_OIAP, read(Secrets.OWNER_AREA)));
        requests.add(Request.of(Ordinal.NV_READ_VALUE_AUTH, Authority.AREA, read(Secrets.AUTH_AREA)));
        Field dir = number32("dirIndex", 0, 1, 2, -1);
        requests.add(Request.of(Ordinal.DIR_WRITE_AUTH, Authority.OWNER_OIAP, dir, opaque("newContents", zeros())));
        requests.add(Request.of(Ordinal.DIR_READ, dir));
        return requests;
    }

    /** A request's TPM_NV_DATA_PUBLIC, field by field, and the area's secret. */
    private static Field[] area(Field secret) {
        List<Field> fields = new ArrayList<>();
        fields.add(number16("tag", 0x18, 0, 0x17, 0xFFFF));
        fields.add(number32(
                "nvIndex",
                Secrets.FREE_INDEX,
                0,
                -1,
                Secrets.OPEN_AREA,
                Secrets.OWNER_AREA,
                0x10000001,
                0x10001105,
                0x20001105,
                0x40001105,
                0x80001105,
                0x00011105,
                0x0000F000,
                0x00011600));
        for (String use : List.of("Read", "Write")) {
            fields.add(number16("pcrInfo" + use + ".sizeOfSelect", 3, 0, 2, 4, 0xFFFF));
            fields.add(live(
                    "pcrInfo" + use + ".pcrSelect",
                    (probe, session) -> new byte[3],
                    List.of(new byte[] {1, 0, 0}, new byte[] {-1, -1, -1})));
            fields.add(number8("pcrInfo" + use + ".localityAtRelease", 0x1F, 0, 1, 2, 0x1E, 0x20, 0xFF));
            fields.add(opaque("pcrInfo" + use + ".digestAtRelease", zeros()));
        }
        fields.add(number16("permission.tag", 0x17, 0, 0x18));
        fields.add(number32(
                "attributes",
                Structures.NV_PER_PPWRITE,
                0,
                Structures.NV_PER_OWNERWRITE,
                Structures.NV_PER_AUTHWRITE,
                Structures.NV_PER_OWNERWRITE | Structures.NV_PER_AUTHWRITE,
                Structures.NV_PER_OWNERREAD | Structures.NV_PER_PPWRITE,
                Structures.NV_PER_AUTHREAD | Structures.NV_PER_OWNERREAD | Structures.NV_PER_PPWRITE,
                0x1001,
                0x2001,
                0x4001,
                0x8001,
                0x10001,
                0x80000001,
                0x2000,
                0x8,
                -1));
        fields.add(bool("bReadSTClear", false));
        fields.add(bool("bWriteSTClear", false));
        fields.add(bool("bWriteDefine", false));
        fields.add(number32("dataSize", Secrets.AREA_SIZE, 0, 1, 2048, 0x7000, 0x10000));
        fields.add(secret);
        return fields.toArray(Field[]::new);
    }

    private static Field index(int index) {
        return number32(
                "nvIndex",
                index,
                0,
                Secrets.OPEN_AREA,
                Secrets.OWNER_AREA,
                Secrets.AUTH_AREA,
                Secrets.FREE_INDEX,
                0x10000001,
                0x80001101,
                -1);
    }

    private static Field[] write(int index) {
        return new Field[] {
            index(index),
            number32("offset", 0, 1, Secrets.AREA_SIZE - 1, Secrets.AREA_SIZE, Secrets.AREA_SIZE + 1, 0x10000),
            counted("data", u16(0x1234), 0, 1, Secrets.AREA_SIZE, Secrets.AREA_SIZE + 1, 20)
        };
    }

    private static Field[] read(int index) {
        return new Field[] {
            index(index),
            number32("offset", 0, 1, Secrets.AREA_SIZE - 1, Secrets.AREA_SIZE, Secrets.AREA_SIZE + 1, 0x10000),
            number32("dataSize", Secrets.AREA_SIZE, 0, 1, Secrets.AREA_SIZE - 1, Secrets.AREA_SIZE + 1, 20, 0x10000)
        };
    }
}
