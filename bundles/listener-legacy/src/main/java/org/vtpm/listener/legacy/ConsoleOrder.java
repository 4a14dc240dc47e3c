package org.vtpm.listener.legacy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.vtpm.api.engine.StartupMode;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.U16;
import org.vtpm.codec.U32;
import org.vtpm.codec.U8;

/**
 * What Xen's hotplug scripts order on the console: the vTPM commands of {@code tools/vtpm_manager} in their final
 * numbering (Xen 3.0.3 to 4.2). A frame is {@code u32 dmi, u16 tag, u32 size, u32 ordinal, parameters}; the size leaves
 * the dmi out.
 */
sealed interface ConsoleOrder {
    /** Tag of every vTPM command. */
    int VTPM_TAG_REQ = 0x01C1;

    /** Tag of the second kind of command that vtpmmgr, the manager in a domain of its own, takes. */
    int VTPM_TAG_REQ2 = 0x01C2;

    /** An order about one guest's TPM. */
    sealed interface OfInstance extends ConsoleOrder {
        /** The instance it is about. */
        long instance();
    }

    /**
     * VTPM_ORD_TPMCOMMAND: something for the host's own TPM.
     *
     * @param command whatever followed the header
     */
    record TpmCommand(byte[] command) implements ConsoleOrder {}

    /** The orders by which the original moved a TPM to another host under its running guest. They are not carried out. */
    enum Migration implements ConsoleOrder {
        /** VTPM_ORD_GET_MIG_KEY: the destination's manager is to show its key. */
        GET_MIG_KEY,
        /** VTPM_ORD_LOAD_MIG_KEY: the source's manager is to believe it. */
        LOAD_MIG_KEY,
        /** VTPM_ORD_MIGRATE_IN: the TPM arrives. */
        MIGRATE_IN,
        /** VTPM_ORD_MIGRATE_OUT: the TPM leaves. */
        MIGRATE_OUT
    }

    /** VTPM_ORD_OPEN: a guest's device appears. */
    record Open(long instance, StartupMode startup, VmType vmType) implements OfInstance {
        @Override
        public String toString() {
            return "OPEN " + instance + " (startup " + startup + ")";
        }
    }

    /** VTPM_ORD_CLOSE: a guest's device is gone. */
    record Close(long instance) implements OfInstance {
        @Override
        public String toString() {
            return "CLOSE " + instance;
        }
    }

    /** VTPM_ORD_DELETE: a guest's TPM is not wanted any more. */
    record Delete(long instance) implements OfInstance {
        @Override
        public String toString() {
            return "DELETE " + instance;
        }
    }

    /** How a guest reaches its device. */
    enum VmType {
        PV,
        HVM
    }

    /** A frame that holds no order that can be carried out. */
    final class BadOrderException extends Exception {
        private static final long serialVersionUID = 1L;

        private final transient TpmError error;

        BadOrderException(TpmError error, String message) {
            super(message);
            this.error = error;
        }

        TpmError error() {
            return error;
        }
    }

    /** The 14 bytes before the parameters. */
    record Header(@U32 long dmi, @U16 int tag, @U32 long size, int ordinal) {}

    /** Parameters of OPEN since 2007. */
    record OpenParameters(
            @U8 int migType,
            @U8 int startupMode,
            @U8 int vmType,
            @U32 long instance) {}

    /** Parameters of OPEN in 2006, before there were HVM guests with a vTPM. */
    record EarlyOpenParameters(
            @U8 int migType, @U8 int startupMode, @U32 long instance) {}

    /** Parameters of CLOSE and DELETE. */
    record InstanceParameters(@U32 long instance) {}

    /** An answer: like the header, with a return code for the ordinal. */
    record Reply(@U32 long dmi, @U16 int tag, @U32 long size, int status) {}

    /** Takes a frame apart, whose length was checked. */
    static ConsoleOrder parse(byte[] frame) throws BadOrderException {
        try {
            Header header = Codec.of(Header.class).read(new ByteReader(frame));
            byte[] parameters = Arrays.copyOfRange(frame, Frame.MIN, frame.length);
            if (header.tag() != VTPM_TAG_REQ) {
                throw new BadOrderException(TpmError.FAIL, String.format("0x%04X is not the tag 0x01C1", header.tag()));
            }
            if (header.dmi() != 0) {
                throw new BadOrderException(TpmError.BAD_PARAMETER, "its sender is not the host, but " + header.dmi());
            }
            return switch (header.ordinal()) {
                case 0x00000003 -> new TpmCommand(parameters);
                case 0x00000004 -> Migration.GET_MIG_KEY;
                case 0x00000005 -> Migration.LOAD_MIG_KEY;
                case 0x01000001 -> parseOpen(parameters);
                case 0x01000002 ->
                    new Close(valid(Codec.of(InstanceParameters.class)
                            .decode(parameters)
                            .instance()));
                case 0x01000003 ->
                    new Delete(valid(Codec.of(InstanceParameters.class)
                            .decode(parameters)
                            .instance()));
                case 0x01000004 -> Migration.MIGRATE_IN;
                case 0x01000005 -> Migration.MIGRATE_OUT;
                default ->
                    throw new BadOrderException(
                            TpmError.BAD_ORDINAL, String.format("there is no order 0x%08X", header.ordinal()));
            };
        } catch (CodecException e) {
            throw new BadOrderException(TpmError.BAD_PARAMETER, "its parameters have the wrong length");
        }
    }

    /** The frame that answers an order. The tag is the request's, as the original's scripts always saw it. */
    static byte[] reply(long dmi, TpmError status) {
        return reply(dmi, status, new byte[0]);
    }

    /** As the other method of this name; with parameters. */
    static byte[] reply(long dmi, TpmError status, byte[] parameters) {
        byte[] header = Codec.of(Reply.class)
                .encode(new Reply(dmi, VTPM_TAG_REQ, Frame.HEADER + parameters.length, status.code()));
        return ByteBuffer.allocate(header.length + parameters.length)
                .put(header)
                .put(parameters)
                .array();
    }

    private static Open parseOpen(byte[] parameters) throws BadOrderException, CodecException {
        OpenParameters open;
        if (parameters.length == 6) {
            EarlyOpenParameters early = Codec.of(EarlyOpenParameters.class).decode(parameters);
            open = new OpenParameters(early.migType(), early.startupMode(), 1, early.instance());
        } else {
            open = Codec.of(OpenParameters.class).decode(parameters);
        }
        if (open.migType() > 1) {
            throw new BadOrderException(
                    TpmError.BAD_PARAMETER, "its migration type " + open.migType() + " is neither 0 nor 1");
        }
        StartupMode startup = switch (open.startupMode()) {
            case 1 -> StartupMode.CLEAR;
            case 2 -> StartupMode.STATE;
            case 3 -> StartupMode.DEACTIVATED;
            default ->
                throw new BadOrderException(
                        TpmError.BAD_PARAMETER, "its startup mode " + open.startupMode() + " is none of 1, 2, 3");
        };
        VmType vmType = switch (open.vmType()) {
            case 1 -> VmType.PV;
            case 2 -> VmType.HVM;
            default ->
                throw new BadOrderException(
                        TpmError.BAD_PARAMETER, "its VM type " + open.vmType() + " is neither 1 nor 2");
        };
        return new Open(valid(open.instance()), startup, vmType);
    }

    private static long valid(long instance) throws BadOrderException {
        if (instance < 1 || instance > LegacyEndpoints.MAX_NUMBER) {
            throw new BadOrderException(TpmError.BAD_PARAMETER, "no instance has the number " + instance);
        }
        return instance;
    }
}
