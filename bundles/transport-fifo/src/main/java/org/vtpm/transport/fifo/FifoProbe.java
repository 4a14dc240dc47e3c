package org.vtpm.transport.fifo;

import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets the transport be registered only where native calls work: a service that then fails would take its users down. */
@Component(
        immediate = true,
        service = {})
public final class FifoProbe {
    private static final Logger LOG = LoggerFactory.getLogger(FifoProbe.class);

    @Activate
    public FifoProbe(ComponentContext context) {
        try {
            int user = Posix.load().effectiveUser();
            LOG.debug("Native calls work, user {}", user);
        } catch (RuntimeException | LinkageError e) {
            LOG.warn("Named pipes cannot be used on this host, the transport fifo stays away: {}", e.toString());
            return;
        }
        context.enableComponent(FifoTransport.NAME);
    }
}
