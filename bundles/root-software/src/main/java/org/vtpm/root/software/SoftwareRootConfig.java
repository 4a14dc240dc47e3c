package org.vtpm.root.software;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the software root of trust, PID {@code org.vtpm.root.software}. */
@ObjectClassDefinition(id = "org.vtpm.root.software", name = "vTPM root of trust: software (development only)")
@interface SoftwareRootConfig {
    @AttributeDefinition(
            name = "Key file",
            description = "32 random bytes, made at first use with mode 0600; without it nothing sealed can be opened")
    String file() default "${karaf.data}/vtpm/root/software.key";
}
