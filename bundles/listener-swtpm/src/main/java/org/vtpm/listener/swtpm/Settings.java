package org.vtpm.listener.swtpm;

import java.time.Duration;

/**
 * What an operator decided about this listener.
 *
 * @param allowRemote whether TCP addresses other than loopback are served
 * @param maxConnections guests connected to one endpoint at the same time
 * @param commandTimeout how long the rest of a begun command may take to arrive, counted from its last byte
 */
record Settings(boolean allowRemote, int maxConnections, Duration commandTimeout) {
    Settings {
        if (maxConnections < 1) {
            throw new IllegalArgumentException(
                    "max.connections is " + maxConnections + " in org.vtpm.listener.swtpm: set it to 1 or more.");
        }
        if (commandTimeout.isNegative() || commandTimeout.isZero()) {
            throw new IllegalArgumentException("command.timeout is " + commandTimeout.toSeconds()
                    + " in org.vtpm.listener.swtpm: set it to 1 second or more.");
        }
    }

    static Settings of(SwtpmListenerConfig config) {
        return new Settings(
                config.allow_remote(), config.max_connections(), Duration.ofSeconds(config.command_timeout()));
    }
}
