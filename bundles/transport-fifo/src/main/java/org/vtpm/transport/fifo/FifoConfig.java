package org.vtpm.transport.fifo;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the transport, PID {@code org.vtpm.transport.fifo}. A change closes all pipes and opens new ones. */
@ObjectClassDefinition(id = "org.vtpm.transport.fifo", name = "vTPM transport over named pipes")
@interface FifoConfig {
    @AttributeDefinition(
            name = "Directory",
            description = "Where the pipes lie, mode 0700; empty for vtpm/pipes in Karaf's data directory")
    String directory() default "";
}
