package org.vtpm.engine.tpm12.chapter;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.vtpm.api.engine.TpmFamily;
import org.vtpm.api.engine.TpmModel;
import org.vtpm.codec.Fixed;
import org.vtpm.codec.Sized;
import org.vtpm.codec.Tag;
import org.vtpm.codec.U16;
import org.vtpm.codec.U8;

/** Who made this TPM, and to which specification. */
public final class Identification {
    /** TPM_CAP_PROP_MANUFACTURER and tpmVendorID. */
    private static final byte[] VENDOR = "VTPM".getBytes(StandardCharsets.US_ASCII);

    private static final String MODEL = "engine-tpm12";
    private static final int FIRMWARE_MAJOR = 0;
    private static final int FIRMWARE_MINOR = 1;
    private static final int SPEC_LEVEL = 2;
    private static final int SPEC_REVISION = 116;

    private Identification() {}

    /** TPM_STRUCT_VER (TPM Main Part 2, section 5.1). */
    record StructVer(
            @U8 int major,
            @U8 int minor,
            @U8 int revMajor,
            @U8 int revMinor) {}

    /** TPM_CAP_VERSION_INFO (TPM Main Part 2, section 21.6). */
    @Tag(0x0030)
    record CapVersionInfo(
            StructVer version,
            @U16 int specLevel,
            @U8 int errataRev,
            @Fixed(4) byte[] tpmVendorId,
            @Sized(prefix = 2) byte[] vendorSpecific) {}

    /** What every structure of version 1.1 carries. */
    static StructVer structVer() {
        return new StructVer(1, 1, 0, 0);
    }

    /** TPM_VERSION: this is a TPM 1.2. */
    static StructVer version() {
        return new StructVer(1, 2, FIRMWARE_MAJOR, FIRMWARE_MINOR);
    }

    /** Level 2, revision 116. */
    static CapVersionInfo versionInfo() {
        return new CapVersionInfo(version(), SPEC_LEVEL, 3, VENDOR.clone(), new byte[0]);
    }

    /** What a credential of this TPM says of it. */
    public static TpmModel model() {
        return new TpmModel(
                ByteBuffer.wrap(VENDOR).getInt(),
                MODEL,
                FIRMWARE_MAJOR << Short.SIZE | FIRMWARE_MINOR,
                TpmFamily.TPM_1_2,
                SPEC_LEVEL,
                SPEC_REVISION);
    }

    static byte[] vendor() {
        return VENDOR.clone();
    }
}
