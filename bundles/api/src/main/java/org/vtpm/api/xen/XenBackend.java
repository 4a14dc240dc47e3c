package org.vtpm.api.xen;

/** The backend of Xen's TPM devices. Thread-safe. */
public interface XenBackend {
    /** The devices as they are at this moment. */
    XenReport report();
}
