package org.vtpm.itests.process;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u16;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.zeros;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/**
 * What no honest peer sends, drawn by lot. Every piece is made from right commands with a ten-byte header: tag, size,
 * ordinal, big-endian. For one thread.
 */
final class Garbage {
    static final int HEADER = 10;

    private static final int SIZE_OFFSET = 2;
    private static final int ORDINAL_OFFSET = 6;
    private static final int LARGEST_NOISE = 6000;
    private static final List<Integer> WRONG_SIZES =
            List.of(0, 1, 9, 4097, 0x10000, Integer.MAX_VALUE, Integer.MIN_VALUE, -1, -10);

    private final Random random;
    private final List<byte[]> commands;

    /** @param commands what is damaged: with a right size field each */
    Garbage(Random random, List<byte[]> commands) {
        this.random = random;
        this.commands = commands;
    }

    /** TPM 1.2 commands that change something, take something apart, or need much time. */
    static List<byte[]> tpmCommands() {
        byte[] area = Structures.nvPublic(0x11, 32, Structures.NV_PER_PPWRITE);
        byte[] secret = sized(new byte[256]);
        return List.of(
                command(Ordinal.GET_RANDOM, u32(64)),
                command(Ordinal.STIR_RANDOM, sized(new byte[64])),
                command(Ordinal.EXTEND, u32(7), zeros()),
                command(Ordinal.PCR_READ, u32(7)),
                command(Ordinal.PCR_RESET, Structures.pcrSelection(3, 16)),
                command(Ordinal.GET_CAPABILITY, u32(Structures.CAP_PROPERTY), sized(u32(0x101))),
                command(Ordinal.GET_CAPABILITY, u32(Structures.CAP_NV_INDEX), sized(u32(0x11))),
                command(Ordinal.SET_CAPABILITY, u32(1), sized(u32(1)), sized(u16(1))),
                command(Ordinal.OIAP),
                command(Ordinal.OSAP, u16(Structures.ET_OWNER), u32(Structures.OWNER), zeros()),
                command(Ordinal.TERMINATE_HANDLE, u32(1)),
                command(Ordinal.FLUSH_SPECIFIC, u32(1), u32(Structures.RT_AUTH)),
                command(Ordinal.READ_PUBEK, zeros()),
                command(Ordinal.SHA1_START),
                command(Ordinal.SHA1_UPDATE, sized(new byte[64])),
                command(Ordinal.SHA1_COMPLETE_EXTEND, u32(7), sized(new byte[3])),
                command(Ordinal.NV_DEFINE_SPACE, area, zeros()),
                command(Ordinal.NV_WRITE_VALUE, u32(0x11), u32(0), sized(new byte[32])),
                command(Ordinal.NV_READ_VALUE, u32(0x11), u32(0), u32(32)),
                command(Ordinal.SELF_TEST_FULL),
                command(Ordinal.SAVE_STATE),
                authorized(Ordinal.TAKE_OWNERSHIP, u16(5), secret, secret, Structures.srkTemplate()));
    }

    private static byte[] command(Ordinal ordinal, byte[]... parameters) {
        return Tpm12Client.frame(Tpm12Client.TAG_RQU_COMMAND, ordinal.code(), concat(parameters));
    }

    private static byte[] authorized(Ordinal ordinal, byte[]... parameters) {
        byte[] noSession = new byte[4 + 20 + 1 + 20];
        return Tpm12Client.frame(
                Tpm12Client.TAG_RQU_COMMAND + 1, ordinal.code(), concat(concat(parameters), noSession));
    }

    /** One of the right commands, as it is. */
    byte[] command() {
        return commands.get(random.nextInt(commands.size())).clone();
    }

    /** Bytes, and nothing else. */
    byte[] noise() {
        return bytes(1 + random.nextInt(LARGEST_NOISE));
    }

    /** A command whose header gives a size that no command can have. */
    byte[] wrongSize() {
        byte[] command = command();
        ByteBuffer.wrap(command).putInt(SIZE_OFFSET, WRONG_SIZES.get(random.nextInt(WRONG_SIZES.size())));
        return command;
    }

    /** A command that is not whole: at least its first byte is there and its last one is missing. */
    byte[] half() {
        byte[] command = command();
        return Arrays.copyOf(command, 1 + random.nextInt(command.length - 1));
    }

    /** A damaged command with a right size field, so that it is seen by whoever looks behind the header. */
    byte[] mutated() {
        byte[] command = command();
        switch (random.nextInt(5)) {
            case 0 -> {
                byte[] body = bytes(command.length - HEADER);
                System.arraycopy(body, 0, command, HEADER, body.length);
            }
            case 1 -> {
                for (int changes = random.nextInt(4); changes >= 0; changes--) {
                    command[ORDINAL_OFFSET + random.nextInt(command.length - ORDINAL_OFFSET)] = randomByte();
                }
            }
            case 2 -> command = Arrays.copyOf(command, HEADER + random.nextInt(command.length - HEADER + 1));
            case 3 -> command = concat(command, bytes(1 + random.nextInt(64)));
            default -> ByteBuffer.wrap(command).putInt(ORDINAL_OFFSET, random.nextInt(0x100));
        }
        ByteBuffer.wrap(command).putInt(SIZE_OFFSET, command.length);
        return command;
    }

    private byte randomByte() {
        return (byte) random.nextInt(1 << Byte.SIZE);
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
