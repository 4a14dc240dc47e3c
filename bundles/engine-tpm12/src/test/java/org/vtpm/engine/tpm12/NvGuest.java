package org.vtpm.engine.tpm12;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vtpm.engine.tpm12.TestTpm.concat;
import static org.vtpm.engine.tpm12.TestTpm.number;
import static org.vtpm.engine.tpm12.TestTpm.sized;
import static org.vtpm.engine.tpm12.TestTpm.u16;
import static org.vtpm.engine.tpm12.TestTpm.u32;
import static org.vtpm.engine.tpm12.TestTpm.u8;

import java.util.Arrays;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.TestTpm.GuestSession;
import org.vtpm.engine.tpm12.TestTpm.Response;
import org.vtpm.engine.tpm12.state.PermanentState;
import org.vtpm.tpm12.structure.EntityType;
import org.vtpm.tpm12.structure.Handles;
import org.vtpm.tpm12.structure.NvAttributes;
import org.vtpm.tpm12.structure.NvAttributes.Permission;
import org.vtpm.tpm12.structure.NvIndex;
import org.vtpm.tpm12.structure.ReturnCode;

/** Defines, writes and reads NV areas as a guest does, byte by byte. */
final class NvGuest {
    static final int INDEX = 0x11;
    static final int SIZE = 4;
    static final byte[] DATA = {1, 2, 3, 4};
    static final byte[] OWNER = Sha1.of(u8(1));
    static final byte[] SECRET = Sha1.of(u8(2));
    static final byte[] WRONG = Sha1.of(u8(3));

    /** TPM_PCR_INFO_SHORT without a restriction. */
    static final byte[] ANYWHERE = info(u16(3), new byte[3], 0x1F, new byte[20]);

    private static final int PHYSICAL_PRESENCE_NOTPRESENT = 0x10;

    final TestTpm tpm;

    private NvGuest(TestTpm tpm) {
        this.tpm = tpm;
    }

    /** On this TPM. */
    static NvGuest on(TestTpm tpm) {
        return new NvGuest(tpm);
    }

    /** On a TPM as it leaves the factory: without an owner, and NV is not locked. */
    static NvGuest atTheFactory() {
        return new NvGuest(TestTpm.started());
    }

    /** On a TPM with an owner, on which NV is not locked. */
    static NvGuest withOwner() {
        return new NvGuest(
                TestTpm.started(PermanentState.factory(null).withOwner(TestOwner.with(OWNER, new byte[20]))));
    }

    /** On a TPM as guests have it in the end: with an owner, and NV is locked. */
    static NvGuest locked() {
        NvGuest guest = withOwner();
        guest.lock();
        return guest;
    }

    /** Sets nvLocked. */
    void lock() {
        define(NvIndex.LOCK, 0).is(ReturnCode.SUCCESS);
    }

    // Definition

    Response define(int nvIndex, int size, Permission... permissions) {
        return define(area(nvIndex, ANYWHERE, ANYWHERE, size, permissions));
    }

    Response define(byte[] pub) {
        return tpm.send("NV_DefineSpace", pub, SECRET);
    }

    Response ownerDefine(int nvIndex, int size, Permission... permissions) {
        return ownerDefine(area(nvIndex, ANYWHERE, ANYWHERE, size, permissions));
    }

    /** The area's secret travels encrypted by the session (ADIP with XOR). */
    Response ownerDefine(byte[] pub) {
        GuestSession session = tpm.osap(EntityType.OWNER, Handles.OWNER, OWNER);
        byte[] pad = Sha1.of(session.key, session.nonceEven);
        byte[] encrypted = SECRET.clone();
        for (int i = 0; i < encrypted.length; i++) {
            encrypted[i] ^= pad[i];
        }
        return tpm.authorized(session, false, "NV_DefineSpace", pub, encrypted);
    }

    /** TPM_NV_DATA_PUBLIC. */
    static byte[] area(int nvIndex, byte[] read, byte[] write, int size, Permission... permissions) {
        int attributes = NvAttributes.of(permissions).attributes();
        return concat(
                u16(0x18), u32(nvIndex), read, write, u16(0x17), u32(attributes), new byte[] {1, 1, 1}, u32(size));
    }

    // Use

    Response write(int nvIndex, int offset, byte[] data) {
        return tpm.send("NV_WriteValue", u32(nvIndex), u32(offset), sized(data));
    }

    Response ownerWrite(int nvIndex, int offset, byte[] data) {
        return tpm.authorized(tpm.oiap(OWNER), false, "NV_WriteValue", u32(nvIndex), u32(offset), sized(data));
    }

    Response authWrite(int nvIndex, int offset, byte[] data) {
        return tpm.authorized(tpm.oiap(SECRET), false, "NV_WriteValueAuth", u32(nvIndex), u32(offset), sized(data));
    }

    Response read(int nvIndex, int offset, int size) {
        return tpm.send("NV_ReadValue", u32(nvIndex), u32(offset), u32(size));
    }

    Response ownerRead(int nvIndex, int offset, int size) {
        return tpm.authorized(tpm.oiap(OWNER), false, "NV_ReadValue", u32(nvIndex), u32(offset), u32(size));
    }

    Response authRead(int nvIndex, int offset, int size) {
        return tpm.authorized(tpm.oiap(SECRET), false, "NV_ReadValueAuth", u32(nvIndex), u32(offset), u32(size));
    }

    /** What comes back when an area with this contents is read. */
    static void contents(Response response, byte[] expected) {
        assertThat(response.is(ReturnCode.SUCCESS).parameters()).isEqualTo(sized(expected));
    }

    /** TPM_CAP_PROP_NV_AVAILABLE. */
    int free() {
        return number(capability(5, u32(0x123)).is(ReturnCode.SUCCESS).parameters(), 4);
    }

    /** TPM_CAP_NV_LIST. */
    int[] indices() {
        byte[] list = capability(0xD, new byte[0]).is(ReturnCode.SUCCESS).parameters();
        int[] indices = new int[number(list, 0) / 4];
        Arrays.setAll(indices, i -> number(list, 4 + 4 * i));
        return indices;
    }

    /** TPM_CAP_NV_INDEX: the area as the TPM shows it. */
    Response shown(int nvIndex) {
        return capability(0x11, u32(nvIndex));
    }

    private Response capability(int area, byte[] subCapability) {
        return tpm.send("GetCapability", u32(area), sized(subCapability));
    }

    /** Takes back what {@link TestTpm#presence} asserted. */
    void absence() {
        tpm.send("TSC_PhysicalPresence", u16(PHYSICAL_PRESENCE_NOTPRESENT)).is(ReturnCode.SUCCESS);
    }

    // Conditions

    /** TPM_PCR_INFO_SHORT that names localities only; bit n stands for locality n. */
    static byte[] localities(int mask) {
        return info(u16(3), new byte[3], mask, new byte[20]);
    }

    /** TPM_PCR_INFO_SHORT that is met while PCR 16 has this value. */
    static byte[] pcr16(byte[] value) {
        byte[] selected = {0, 0, 1};
        return info(u16(3), selected, 0x1F, Sha1.of(u16(3), selected, u32(20), value));
    }

    private static byte[] info(byte[] sizeOfSelect, byte[] select, int localities, byte[] digest) {
        return concat(sizeOfSelect, select, u8(localities), digest);
    }
}
