package org.vtpm.listener.xen;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration PID {@code org.vtpm.listener.xen}. */
@ObjectClassDefinition(
        id = XenListener.PID,
        name = "vTPM listener for Xen",
        description = "Serves the TPM devices of this host's Xen guests")
@interface XenListenerConfig {
    @AttributeDefinition(name = "enabled", description = "Serve Xen guests")
    boolean enabled() default true;

    @AttributeDefinition(
            name = "unknown",
            description =
                    "What becomes of a guest whose uuid no instance has: create an instance, or refuse the device")
    String unknown() default "create";

    @AttributeDefinition(
            name = "stubdoms",
            description =
                    "UUIDs of TPMs that run in domains of their own, as vtpm-stubdom does, separated by commas: the"
                            + " devices with these keep their keys here, and are no guests'")
    String stubdoms() default "";

    @AttributeDefinition(name = "family", description = "The family of instances that are created: 1.2 or 2.0")
    String family() default "1.2";

    @AttributeDefinition(
            name = "max.locality",
            description =
                    "The highest locality that a guest's kernel may claim. On a PC 3 and 4 belong to the hardware",
            min = "0",
            max = "4")
    int max_locality() default 2;

    @AttributeDefinition(
            name = "events.per.second",
            description = "How many events without a valid request a guest may send before it is not listened to for a"
                    + " while",
            min = "1")
    int events_per_second() default 100;

    @AttributeDefinition(
            name = "xenstore",
            description = "Absolute path of xenstored's socket or of the device xenbus; empty to look for both")
    String xenstore() default "";
}
