package org.vtpm.listener.legacy;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration PID {@code org.vtpm.listener.legacy}. */
@ObjectClassDefinition(
        id = LegacyListener.PID,
        name = "vTPM legacy listener",
        description = "Serves instances through the interfaces of the Xen 3.x vTPM manager")
@interface LegacyListenerConfig {
    @AttributeDefinition(name = "enabled", description = "Serve these interfaces")
    boolean enabled() default true;

    @AttributeDefinition(
            name = "directory",
            description = "Absolute path of the folder of the named pipes, such as /var/vtpm/fifos; empty for"
                    + " data/vtpm/fifos in Karaf's folder")
    String directory() default "";

    @AttributeDefinition(
            name = "device",
            description = "Path of the character device by which the kernel of a Xen 3.x dom0 brings its PV guests'"
                    + " commands; empty for none")
    String device() default "/dev/vtpm";

    @AttributeDefinition(
            name = "sockets",
            description = "Absolute path of the folder of HVM guests' sockets, such as /var/vtpm/socks; empty for"
                    + " data/vtpm/socks in Karaf's folder")
    String sockets() default "";

    @AttributeDefinition(
            name = "command.timeout",
            description = "Seconds to wait for the rest of a command, order or answer that has begun to pass",
            min = "1",
            max = "3600")
    int command_timeout() default 5;
}
