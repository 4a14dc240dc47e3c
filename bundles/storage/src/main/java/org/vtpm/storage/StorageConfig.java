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

    @AttributeDefinition(
            name = "Wait for the counter",
            description =
                    "Seconds that an open storage waits for the root of trust with its hardware counter, if that comes"
                            + " after the one that opened it. Without the counter nobody can tell whether state is old;"
                            + " the replay policy then decides")
    int counter_wait_seconds() default 30;
}
