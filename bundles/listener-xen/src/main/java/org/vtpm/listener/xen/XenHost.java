package org.vtpm.listener.xen;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.vtpm.listener.xen.host.EventChannels;
import org.vtpm.listener.xen.host.EventDevice;
import org.vtpm.listener.xen.host.GrantDevice;
import org.vtpm.listener.xen.host.GrantPages;
import org.vtpm.listener.xen.host.Kernel;
import org.vtpm.listener.xen.xenstore.XenStoreChannel;
import org.vtpm.listener.xen.xenstore.XenStoreSocket;
import org.vtpm.listener.xen.xenstore.XenbusDevice;

/** A Xen host as a backend sees it. */
interface XenHost {
    /**
     * Opens all that a backend needs.
     *
     * @throws IOException if this is no Xen host, or not one where a backend can be; the message says why
     */
    Access open() throws IOException;

    /** What a backend needs. */
    record Access(XenStoreChannel store, EventChannels events, GrantPages grants) {}

    /**
     * This machine.
     *
     * @param xenstore the only way to XenStore to try, or empty
     */
    static XenHost local(String xenstore) {
        return () -> open(xenstore);
    }

    private static Access open(String xenstore) throws IOException {
        Path devices = Path.of("/dev/xen");
        for (String device : List.of("evtchn", "gntdev")) {
            if (!Files.exists(devices.resolve(device))) {
                throw new IOException(
                        "there is no " + devices.resolve(device) + ": this is not the host of Xen guests, or"
                                + " its kernel module xen-" + device + " is not loaded");
            }
        }
        Kernel kernel = loadKernel();
        XenStoreChannel store = openStore(xenstore);
        EventChannels events = null;
        try {
            events = new EventDevice(kernel, devices.resolve("evtchn"));
            return new Access(store, events, new GrantDevice(kernel, devices.resolve("gntdev")));
        } catch (IOException e) {
            store.close();
            if (events != null) {
                events.close();
            }
            throw e;
        }
    }

    private static Kernel loadKernel() throws IOException {
        try {
            return Kernel.load();
        } catch (LinkageError e) {
            throw new IOException("the C library cannot be called: " + e.getMessage(), e);
        }
    }

    private static XenStoreChannel openStore(String configured) throws IOException {
        List<Path> ways = configured.isBlank()
                ? List.of(Path.of("/run/xenstored/socket"), Path.of("/dev/xen/xenbus"))
                : List.of(Path.of(configured.strip()));
        List<String> reasons = new ArrayList<>();
        for (Path way : ways) {
            try {
                return way.startsWith("/dev") || way.startsWith("/proc")
                        ? XenbusDevice.open(way)
                        : XenStoreSocket.connect(way);
            } catch (IOException e) {
                reasons.add(e.getMessage());
            }
        }
        throw new IOException("there is no way to XenStore: " + String.join("; ", reasons));
    }
}
