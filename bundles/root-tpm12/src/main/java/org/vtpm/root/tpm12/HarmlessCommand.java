package org.vtpm.root.tpm12;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Commands that an operator may allow others (TPM Main Part 2, section 17): without authorization they change nothing, and
 * leave nothing in the TPM.
 */
enum HarmlessCommand {
    PCR_READ(0x15, "PCRRead"),
    GET_RANDOM(0x46, "GetRandom"),
    GET_TEST_RESULT(0x54, "GetTestResult"),
    GET_CAPABILITY(0x65, "GetCapability"),
    READ_PUBEK(0x7C, "ReadPubek"),
    READ_COUNTER(0xDE, "ReadCounter"),
    GET_TICKS(0xF1, "GetTicks");

    private final int ordinal;
    private final String label;

    HarmlessCommand(int ordinal, String label) {
        this.ordinal = ordinal;
        this.label = label;
    }

    /** The one with this number of TPM_COMMAND_CODE, if there is one. */
    static Optional<HarmlessCommand> of(int ordinal) {
        return Arrays.stream(values()).filter(each -> each.ordinal == ordinal).findFirst();
    }

    /**
     * Reads an operator's list.
     *
     * @param list names as the specification has them without TPM_, separated by commas; may be empty
     * @throws IllegalArgumentException if any is none of these; the message names them
     */
    static Set<HarmlessCommand> parse(String list) {
        Set<HarmlessCommand> commands = EnumSet.noneOf(HarmlessCommand.class);
        for (String word : list.split(",", -1)) {
            String name = word.strip();
            if (!name.isEmpty()) {
                commands.add(Arrays.stream(values())
                        .filter(each -> each.label.equals(name))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("\"passthrough\" of org.vtpm.root.tpm12 has \""
                                + name + "\", but can have "
                                + Arrays.stream(values())
                                        .map(each -> each.label)
                                        .collect(Collectors.joining(", ")))));
            }
        }
        return commands;
    }
}
