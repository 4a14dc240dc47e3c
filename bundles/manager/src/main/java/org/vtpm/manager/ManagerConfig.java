package org.vtpm.manager;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Configuration of the manager, PID {@code org.vtpm.manager}. Changes apply at once; {@code workers} at the next start. */
@ObjectClassDefinition(id = "org.vtpm.manager", name = "vTPM Manager")
@interface ManagerConfig {
    @AttributeDefinition(
            name = "Command timeout",
            description = "Milliseconds an engine may take over one command before its instance fails")
    long command_timeout_ms() default 120_000;

    @AttributeDefinition(name = "Queue limit", description = "Commands that may wait for one instance")
    int queue_limit() default 64;

    @AttributeDefinition(name = "Workers", description = "Threads that run commands; 0 for twelve per processor")
    int workers() default 0;

    @AttributeDefinition(name = "Isolation", description = "Where engines run by default: shared or process")
    String isolation() default "shared";

    @AttributeDefinition(name = "Transport", description = "Preferred transport; empty to go by service ranking")
    String transport() default "";

    @AttributeDefinition(name = "Process Java options", description = "Options of the JVM that runs vtpmd")
    String process_java_options() default "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xss512k -Xmx48m";

    @AttributeDefinition(
            name = "Process class path",
            description = "Class path of vtpmd; empty for all jars in the vtpmd folder of the installation")
    String process_classpath() default "";

    @AttributeDefinition(name = "Process start", description = "Seconds vtpmd may take to ask for its state")
    int process_start_seconds() default 30;

    @AttributeDefinition(name = "Process stop", description = "Seconds vtpmd may take to end before it is killed")
    int process_stop_seconds() default 5;
}
