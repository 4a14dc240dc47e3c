package org.vtpm.hosttpm;

/** What the firmware and the boot loaders of a PC usually measure into a PCR, in words that follow its name. */
final class PcrUse {
    private PcrUse() {}

    static String of(int index) {
        return switch (index) {
            case 0 -> "the firmware changed";
            case 1 -> "the firmware's settings or the hardware changed";
            case 2 -> "the firmware of an extension card changed";
            case 3 -> "the settings of an extension card changed";
            case 4 -> "the boot loader, or what it was started by, changed";
            case 5 -> "the boot order or the partition table changed";
            case 6 -> "the host resumed or has other manufacturer's measurements";
            case 7 -> "Secure Boot or its keys changed";
            case 8, 9 -> "the boot loader's commands, kernel, or initial file system changed";
            case 10 -> "files that the kernel measures (IMA) changed";
            case 11, 12, 13 -> "the unified kernel image or what it was given changed";
            case 14 -> "shim's keys (MOK) changed";
            case 17, 18, 19 -> "the measured launch changed";
            default -> "what is measured into it changed";
        };
    }
}
