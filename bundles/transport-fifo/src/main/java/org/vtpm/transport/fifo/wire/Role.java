package org.vtpm.transport.fifo.wire;

/** The two ends of a channel. */
public enum Role {
    MANAGER(0),
    ENGINE(1);

    private final byte mark;

    Role(int mark) {
        this.mark = (byte) mark;
    }

    /** What the proofs of this end's messages begin with, so that no message can be sent back to its sender. */
    byte mark() {
        return mark;
    }

    Role other() {
        return this == MANAGER ? ENGINE : MANAGER;
    }
}
