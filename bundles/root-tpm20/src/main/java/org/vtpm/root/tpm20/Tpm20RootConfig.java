package org.vtpm.root.tpm20;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of a TPM 2.0 root of trust: PID {@code org.vtpm.root.tpm20}, or factory configurations of this PID. */
@ObjectClassDefinition(
        id = "org.vtpm.root.tpm20",
        factoryPid = "org.vtpm.root.tpm20",
        name = "vTPM root of trust: TPM 2.0")
@interface Tpm20RootConfig {
    @AttributeDefinition(name = "Place", description = "device:/PATH, unix:/PATH or tcp:HOST:PORT")
    String place() default "device:/dev/tpmrm0";

    @AttributeDefinition(
            name = "Name",
            description = "Stored beside what it sealed to find it again; several TPMs need different names")
    String name() default "tpm20";

    @AttributeDefinition(name = "Time-out", description = "Seconds the TPM may take over one command", min = "1")
    int command_timeout() default 60;

    @AttributeDefinition(
            name = "First NV index",
            description = "The first of 256 handles that counters take a free one of, in 0x01800000 to 0x01BFFFFF")
    String counters_first() default "0x01800100";
}
