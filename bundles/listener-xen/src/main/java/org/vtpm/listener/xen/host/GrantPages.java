package org.vtpm.listener.xen.host;

import java.io.IOException;
import org.vtpm.listener.xen.ring.SharedPage;

/** Pages that guests have granted to this domain. */
public interface GrantPages extends AutoCloseable {
    /**
     * Maps a page.
     *
     * @throws IOException if the guest has not granted it
     */
    Page map(int domain, int reference) throws IOException;

    @Override
    void close();

    /** A page of a guest. Nobody may use it once it is closed. */
    interface Page extends SharedPage, AutoCloseable {
        @Override
        void close();
    }
}
