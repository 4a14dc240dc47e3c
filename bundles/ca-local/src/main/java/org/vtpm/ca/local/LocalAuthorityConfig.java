package org.vtpm.ca.local;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the local certification authority, PID {@code org.vtpm.ca.local}. */
@ObjectClassDefinition(id = "org.vtpm.ca.local", name = "vTPM certification authority: local")
@interface LocalAuthorityConfig {
    @AttributeDefinition(name = "Enabled", description = "Whether new instances get certificates of this authority")
    boolean enabled() default true;

    @AttributeDefinition(
            name = "Directory",
            description =
                    "Folder of its key and certificate, made at first need; mode 0700, used by this manager alone")
    String directory() default "${karaf.data}/vtpm/ca";

    @AttributeDefinition(
            name = "Subject",
            description = "Its distinguished name (RFC 4514); applies when the authority is made, not to one there is")
    String subject() default "CN=vTPM Manager EK CA";

    @AttributeDefinition(
            name = "Validity",
            description =
                    "Days for which the certificates it issues are valid, and its own when it is made; 0 for no end")
    int validity_days() default 0;
}
