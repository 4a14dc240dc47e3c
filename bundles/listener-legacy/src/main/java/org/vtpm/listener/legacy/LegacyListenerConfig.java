package org.vtpm.listener.legacy;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration PID {@code org.vtpm.listener.legacy}. */
@ObjectClassDefinition(
        id = LegacyListener.PID,
        name = "vTPM legacy listener",
        description = "Serves instances through the named pipes of the Xen 3.x vTPM manager")
@interface LegacyListenerConfig {
    @AttributeDefinition(name = "enabled", description = "Serve the named pipes")
    boolean enabled() default true;

    @AttributeDefinition(
            name = "directory",
            description = "Absolute path of the folder of the named pipes, such as /var/vtpm/fifos; empty for"
                    + " data/vtpm/fifos in Karaf's folder")
    String directory() default "";
}
