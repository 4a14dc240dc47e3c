package org.vtpm.engine.tpm12.command;

/** A request or response without parameters. */
public record NoParameters() {
    public static final NoParameters NONE = new NoParameters();
}
