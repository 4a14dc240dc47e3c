package org.vtpm.listener.xen.xenstore;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** XenStore's nodes. Paths are absolute; values are text. */
public interface NodeAccess {
    /** A node's value, or nothing if there is no such node. */
    Optional<String> read(String path) throws IOException;

    /** The names of a node's children, or none if there is no such node. */
    List<String> list(String path) throws IOException;

    /** Sets a node's value, and makes it if need be. */
    void write(String path, String value) throws IOException;

    /** Removes a node and all beneath it, if there is one. */
    void remove(String path) throws IOException;
}
