package org.vtpm.engine.tpm12.command;

/** A group of commands, as Part 3 of the specification puts them together. Chapters hold no state. */
public interface Chapter {
    /** Registers the handler of each command. */
    void register(Handlers handlers);
}
