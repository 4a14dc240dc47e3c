package org.vtpm.listener.xen.ring;

/** One page of memory that a guest may change at any moment. Not used by two threads at once. */
public interface SharedPage {
    int SIZE = 4096;

    /**
     * The first eight bytes as one little-endian number, read at once: whatever the guest does meanwhile, its parts fit
     * together. What is read afterwards was written before it.
     */
    long header();

    /** Copies bytes out of the page. */
    void read(int offset, byte[] into);

    /** Copies bytes into the page. */
    void write(int offset, byte[] from);

    /** Sets the length, which comes first in the page. */
    void length(int length);

    /** Sets the byte of the state. Whoever sees it also sees all that was written before. */
    void state(int state);
}
