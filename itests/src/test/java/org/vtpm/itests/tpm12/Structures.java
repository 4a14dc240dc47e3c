package org.vtpm.itests.tpm12;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;

/** Builds the structures of TPM Main Part 2 that the tests send. */
public final class Structures {
    /** Key handles with a fixed meaning (section 4.4.1). */
    public static final int SRK = 0x40000000;

    public static final int OWNER = 0x40000001;
    public static final int ENDORSEMENT_KEY = 0x40000006;
    public static final int NO_TRANSPORT_KEY = 0x40000003;

    /** Entity types (section 4.3); the high byte names the ADIP scheme. */
    public static final int ET_KEY_HANDLE = 1;

    public static final int ET_OWNER = 2;
    public static final int ET_DATA = 3;
    public static final int ET_SRK = 4;
    public static final int ET_KEY = 5;
    public static final int ET_DEL_OWNER_BLOB = 7;
    public static final int ET_DEL_ROW = 8;
    public static final int ET_DEL_KEY_BLOB = 9;
    public static final int ET_COUNTER = 0xA;
    public static final int ADIP_AES_CTR = 0x0600;

    /** Startup types (section 4.5). */
    public static final int ST_CLEAR = 1;

    public static final int ST_STATE = 2;
    public static final int ST_DEACTIVATED = 3;

    /** Resource types (section 4.1). */
    public static final int RT_KEY = 1;

    public static final int RT_AUTH = 2;
    public static final int RT_TRANS = 4;
    public static final int RT_DAA = 6;

    /** Capability areas and sub-capabilities (section 21). */
    public static final int CAP_ORD = 1;

    public static final int CAP_FLAG = 4;
    public static final int CAP_PROPERTY = 5;
    public static final int CAP_NV_LIST = 0xD;
    public static final int CAP_NV_INDEX = 0x11;
    public static final int CAP_HANDLE = 0x14;

    /** NV attributes (section 19.2.2). */
    public static final int NV_PER_PPWRITE = 0x1;

    public static final int NV_PER_OWNERWRITE = 0x2;
    public static final int NV_PER_AUTHWRITE = 0x4;
    public static final int NV_PER_OWNERREAD = 0x20000;
    public static final int NV_PER_AUTHREAD = 0x40000;

    private Structures() {}

    /** TPM_KEY_PARMS of an RSA key with the default exponent (section 10.1). */
    public static byte[] rsaParms(int encScheme, int sigScheme, int bits) {
        return concat(u32(1), u16(encScheme), u16(sigScheme), sized(concat(u32(bits), u32(2), u32(0))));
    }

    /** TPM_PUBKEY of an RSA key with the default exponent (section 10.4). */
    public static byte[] pubkey(byte[] parms, BigInteger modulus) {
        return concat(parms, sized(Wire.unsigned(modulus)));
    }

    /** The TPM_KEY that TPM_TakeOwnership wants as a template of the storage root key (section 10.2). */
    public static byte[] srkTemplate() {
        byte[] version = {1, 1, 0, 0};
        return concat(version, u16(0x11), u32(0), u8(1), rsaParms(3, 1, 2048), u32(0), u32(0), u32(0));
    }

    /** TPM_PCR_SELECTION over the given number of bytes (section 8.1). */
    public static byte[] pcrSelection(int bytes, int... pcrs) {
        byte[] bits = new byte[bytes];
        for (int pcr : pcrs) {
            bits[pcr / 8] |= (byte) (1 << pcr % 8);
        }
        return concat(u16(bytes), bits);
    }

    /** TPM_PCR_INFO_SHORT that binds to nothing (section 8.5). */
    public static byte[] anyPcr() {
        return pcrInfoShort(pcrSelection(3), 0x1F, Wire.zeros());
    }

    public static byte[] pcrInfoShort(byte[] selection, int localities, byte[] digest) {
        return concat(selection, u8(localities), digest);
    }

    /** TPM_NV_DATA_PUBLIC bound to no PCR (section 19.3). */
    public static byte[] nvPublic(int index, int size, int attributes) {
        return nvPublic(index, anyPcr(), anyPcr(), attributes, size);
    }

    public static byte[] nvPublic(int index, byte[] read, byte[] write, int attributes, int size) {
        return concat(u16(0x18), u32(index), read, write, u16(0x17), u32(attributes), u8(0), u8(0), u8(0), u32(size));
    }

    /** TPM_PCR_INFO_LONG whose creation the TPM fills in, for PCRs that are zero (section 8.4). */
    public static byte[] pcrInfoLong(byte[] selection, int localities, byte[] digestAtRelease) {
        return concat(u16(6), u8(1), u8(localities), selection, selection, Wire.zeros(), digestAtRelease);
    }

    /** Where the PCRInfo of the TPM_KEY or TPM_KEY12 at the start of the bytes ends (sections 10.2 and 10.3). */
    public static int endOfPcrInfo(byte[] key) {
        int parmSize = 4 + 2 + 4 + 1 + 4 + 2 + 2;
        int pcrInfoSize = parmSize + 4 + ByteBuffer.wrap(key).getInt(parmSize);
        return pcrInfoSize + 4 + ByteBuffer.wrap(key).getInt(pcrInfoSize);
    }

    /** Where the sealInfo of the TPM_STORED_DATA at the start of the bytes ends (sections 9.1 and 9.2). */
    public static int endOfSealInfo(byte[] storedData) {
        return 8 + ByteBuffer.wrap(storedData).getInt(4);
    }

    /** The modulus in a TPM_PUBKEY that starts at the given offset (section 10.4). */
    public static BigInteger modulus(byte[] bytes, int offset) {
        ByteBuffer key = ByteBuffer.wrap(bytes);
        int parms = offset + 8;
        int size = parms + 4 + key.getInt(parms);
        return new BigInteger(1, Arrays.copyOfRange(bytes, size + 4, size + 4 + key.getInt(size)));
    }

    /** OAEP with SHA-1 and the label {@code TCPA}, as the TPM wants its secrets (Part 1, section 31.1.1). */
    public static byte[] oaep(BigInteger modulus, byte[] secret) {
        try {
            Cipher rsa = Cipher.getInstance("RSA/ECB/OAEPPadding");
            rsa.init(
                    Cipher.ENCRYPT_MODE,
                    KeyFactory.getInstance("RSA")
                            .generatePublic(new RSAPublicKeySpec(modulus, BigInteger.valueOf(65537))),
                    new OAEPParameterSpec("SHA-1", "MGF1", MGF1ParameterSpec.SHA1, new PSource.PSpecified(new byte[] {
                        'T', 'C', 'P', 'A'
                    })));
            return rsa.doFinal(secret);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
