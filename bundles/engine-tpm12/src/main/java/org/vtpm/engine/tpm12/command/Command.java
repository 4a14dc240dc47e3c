package org.vtpm.engine.tpm12.command;

import java.util.Arrays;
import java.util.Locale;

/**
 * One row of the {@link CommandTable}, which says what the columns mean.
 *
 * @param tags bit n set: n authorisation blocks are allowed
 * @param inHandleBytes length of the request's handle area
 * @param outHandleBytes length of the response's handle area
 * @param keyHandles key handles that a transport session logs, or -1 if there is one if the resource type after it says so
 * @param ownerDelegateBit bit of an owner delegation that allows it, or -1
 * @param keyDelegateBit bit of a key delegation that allows it, or -1
 * @param localities bit n set: allowed at locality n
 * @param brief takes some microseconds and stores nothing, unless the state of the TPM gives it more to do
 */
public record Command(
        String name,
        int ordinal,
        int tags,
        int inHandleBytes,
        int outHandleBytes,
        Rule disabled,
        Rule deactivated,
        Rule unowned,
        Rule beforeStartup,
        Rule beforeSelfTest,
        Rule failed,
        boolean lockout,
        Rule presence,
        int localities,
        Audit audit,
        boolean wrappable,
        boolean brief,
        int keyHandles,
        int ownerDelegateBit,
        int keyDelegateBit) {

    /** The longest request and response: TPM_CAP_PROP_INPUT_BUFFER. */
    public static final int MAX_BYTES = 4096;

    private static final int COLUMNS = 20;
    private static final int ALL_LOCALITIES = 0x1F;

    /** Whether something holds for a command. */
    public enum Rule {
        YES,
        NO,
        /** As long as the permanent flag nvLocked is FALSE. */
        WHILE_NV_UNLOCKED,
        /** It depends on the parameters: the handler decides. */
        HANDLER;

        static Rule parse(String cell) {
            return switch (cell) {
                case "y" -> YES;
                case "-" -> NO;
                case "n" -> WHILE_NV_UNLOCKED;
                case "h" -> HANDLER;
                default -> throw new IllegalArgumentException("rule " + cell);
            };
        }
    }

    /** Whether a command is audited. */
    public enum Audit {
        ON,
        OFF,
        NEVER
    }

    /** Whether a request may carry this many authorisation blocks. */
    public boolean allows(int authorisations) {
        return ((tags >> authorisations) & 1) != 0;
    }

    /** Whether its last authorisation block is that of a transport session. */
    public boolean usesTransport() {
        return name.equals("ExecuteTransport") || name.equals("ReleaseTransportSigned");
    }

    static Command parse(String row) {
        String[] cells = row.trim().split(" +", -1);
        if (cells.length != COLUMNS) {
            throw new IllegalArgumentException(cells.length + " columns: " + row);
        }
        return new Command(
                cells[0],
                Integer.parseUnsignedInt(cells[1], 16),
                cells[2].chars().map(digit -> 1 << (digit - '0')).sum(),
                Integer.parseInt(cells[3]),
                Integer.parseInt(cells[4]),
                Rule.parse(cells[5]),
                Rule.parse(cells[6]),
                Rule.parse(cells[7]),
                Rule.parse(cells[8]),
                Rule.parse(cells[9]),
                Rule.parse(cells[10]),
                cells[11].equals("y"),
                Rule.parse(cells[12]),
                localities(cells[13]),
                Audit.valueOf(cells[14].toUpperCase(Locale.ROOT)),
                cells[15].equals("y"),
                cells[16].equals("y"),
                number(cells[17]),
                number(cells[18]),
                number(cells[19]));
    }

    private static int localities(String cell) {
        return Character.isDigit(cell.charAt(0))
                ? Arrays.stream(cell.split(",", -1))
                        .mapToInt(digit -> 1 << Integer.parseInt(digit))
                        .sum()
                : ALL_LOCALITIES;
    }

    private static int number(String cell) {
        return Character.isDigit(cell.charAt(0)) ? Integer.parseInt(cell) : -1;
    }
}
