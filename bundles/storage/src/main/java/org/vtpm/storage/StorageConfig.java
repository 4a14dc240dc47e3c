package org.vtpm.storage;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of storage, PID {@code org.vtpm.storage}. A change closes the folder and opens the other one. */
@ObjectClassDefinition(id = "org.vtpm.storage", name = "vTPM storage")
@interface StorageConfig {
    @AttributeDefinition(
            name = "Directory",
            description = "Folder of instances and their sealed state; mode 0700, used by this manager alone")
    String directory() default "${karaf.data}/vtpm/storage";

    @AttributeDefinition(
            name = "Anchor interval",
            description =
                    "Seconds after which what was stored is anchored in a hardware counter, if there is one: changes"
                            + " since then could be replayed; each time wears the counter. Also how often a closed"
                            + " storage is tried to open again")
    int anchor_seconds() default 60;
}
