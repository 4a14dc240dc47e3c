package org.vtpm.root.tpm12;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of a TPM 1.2 root of trust: PID {@code org.vtpm.root.tpm12}, or factory configurations of this PID. */
@ObjectClassDefinition(
        id = "org.vtpm.root.tpm12",
        factoryPid = "org.vtpm.root.tpm12",
        name = "vTPM root of trust: TPM 1.2")
@interface Tpm12RootConfig {
    @AttributeDefinition(name = "Place", description = "device:/PATH, unix:/PATH or tcp:HOST:PORT")
    String place() default "device:/dev/tpm0";

    @AttributeDefinition(
            name = "Name",
            description = "Stored beside what it sealed to find it again; several TPMs need different names")
    String name() default "tpm12";

    @AttributeDefinition(name = "Time-out", description = "Seconds the TPM may take over one command", min = "1")
    int command_timeout() default 120;

    @AttributeDefinition(
            name = "Storage root key's secret",
            description = "A file with the 20 bytes; without one it is the well-known secret, 20 zero bytes")
    String srk_auth() default "";

    @AttributeDefinition(
            name = "Passthrough",
            description = "What others may have this TPM do, by name and separated by commas: GetRandom, PCRRead,"
                    + " GetCapability, GetTestResult, GetTicks, ReadCounter, ReadPubek; empty for nothing")
    String passthrough() default "GetRandom, PCRRead";
}
