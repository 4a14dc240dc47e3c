package org.vtpm.transport.loopback;

import java.util.UUID;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.propertytypes.ServiceRanking;
import org.vtpm.api.engine.Engine;
import org.vtpm.api.engine.StateSink;
import org.vtpm.api.transport.EngineLink;
import org.vtpm.api.transport.EngineTransport;

/** Calls engines directly: no copy, no thread and no descriptor per instance, and hence the default for shared engines. */
@Component(name = "org.vtpm.transport.loopback")
@ServiceRanking(100)
public final class LoopbackTransport implements EngineTransport {
    @Override
    public String name() {
        return "loopback";
    }

    @Override
    public EngineLink connect(UUID instance, Engine engine, StateSink sink) {
        return new LoopbackLink(instance, engine, sink);
    }
}
