package org.vtpm.engine.tpm12.state;

import org.vtpm.codec.ByteWriter;

/** What both structures of flags have in common. */
final class Flags {
    private Flags() {}

    /** A tag, then one boolean for each of the first {@code count} bits. */
    static byte[] structure(int tag, int bits, int count) {
        ByteWriter out = new ByteWriter(2 + count).u16(tag);
        for (int flag = 0; flag < count; flag++) {
            out.bool(((bits >> flag) & 1) != 0);
        }
        return out.finish();
    }
}
