package org.vtpm.listener.swtpm;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration PID {@code org.vtpm.listener.swtpm}. */
@ObjectClassDefinition(
        id = SwtpmListener.PID,
        name = "vTPM socket listener",
        description = "Serves instances over TCP and UNIX sockets, as swtpm does")
@interface SwtpmListenerConfig {
    @AttributeDefinition(
            name = "allow.remote",
            description = "Serve TCP addresses other than loopback. TPM commands travel in the clear and guests are not"
                    + " authenticated: only for a network that no one else can reach")
    boolean allow_remote() default false;

    @AttributeDefinition(
            name = "max.connections",
            description = "Guests connected to one endpoint at the same time; further ones are hung up on",
            min = "1")
    int max_connections() default 32;

    @AttributeDefinition(
            name = "command.timeout",
            description = "Seconds to wait for the rest of a command that has begun to arrive",
            min = "1")
    int command_timeout() default 10;
}
