package org.vtpm.itests.process;

import java.io.IOException;

/** One of several that use the product at the same time. For one thread. */
interface Peer extends AutoCloseable {
    /** Does one more thing with it; an exception or an {@link AssertionError} says that it went wrong. */
    void round() throws Exception;

    @Override
    void close() throws IOException;
}
