package org.vtpm.listener.xen;

/** What one end of a device says of itself ({@code xen/io/xenbus.h}). */
enum XenbusState {
    UNKNOWN("0"),
    INITIALISING("1"),
    INIT_WAIT("2"),
    INITIALISED("3"),
    CONNECTED("4"),
    CLOSING("5"),
    CLOSED("6"),
    RECONFIGURING("7"),
    RECONFIGURED("8");

    private final String value;

    XenbusState(String value) {
        this.value = value;
    }

    /** The state that a node's value means; {@link #UNKNOWN} if none. A guest may have written it. */
    static XenbusState of(String value) {
        for (XenbusState state : values()) {
            if (state.value.equals(value)) {
                return state;
            }
        }
        return UNKNOWN;
    }

    /** The value of the node. */
    String value() {
        return value;
    }
}
