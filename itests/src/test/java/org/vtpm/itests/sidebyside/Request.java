package org.vtpm.itests.sidebyside;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;

/**
 * The shape of one command: its fields in wire order, and who authorizes it.
 *
 * @param label tells shapes of the same command apart
 * @param handles fields that no digest covers
 * @param before what has to be sent first, or null
 */
record Request(
        String label,
        Ordinal ordinal,
        Authority authority,
        List<Field> handles,
        List<Field> parameters,
        @Nullable Step before) {
    /** Something sent ahead of a request, to make it meaningful. */
    @FunctionalInterface
    interface Step {
        void run(Probe probe) throws IOException;
    }

    /** Who authorizes a command, and in what session. */
    enum Authority {
        NOBODY,
        OWNER_OIAP,
        OWNER_OSAP,
        OPERATOR,
        AREA;

        Session open(Probe probe) throws IOException {
            return switch (this) {
                case NOBODY -> throw new IllegalStateException("nobody opens no session");
                case OWNER_OSAP -> probe.osap(Structures.ET_OWNER, Structures.OWNER, secret());
                case OWNER_OIAP, OPERATOR, AREA -> probe.oiap();
            };
        }

        byte[] secret() {
            return switch (this) {
                case NOBODY -> new byte[20];
                case OWNER_OIAP, OWNER_OSAP -> Secrets.owner();
                case OPERATOR -> Secrets.operator();
                case AREA -> Secrets.area();
            };
        }
    }

    static Request of(Ordinal ordinal, Field... parameters) {
        return of(ordinal, Authority.NOBODY, parameters);
    }

    static Request of(Ordinal ordinal, Authority authority, Field... parameters) {
        String label = authority == Authority.NOBODY ? ordinal.name() : ordinal.name() + " by " + authority;
        return new Request(label, ordinal, authority, List.of(), List.of(parameters), null);
    }

    Request withHandle(Field handle) {
        return new Request(label, ordinal, authority, List.of(handle), parameters, before);
    }

    Request after(Step step) {
        return new Request(label, ordinal, authority, handles, parameters, step);
    }

    Request labelled(String name) {
        return new Request(ordinal.name() + " " + name, ordinal, authority, handles, parameters, before);
    }

    /** Whether its answer may depend on somebody being at the machine. */
    boolean aboutPresence() {
        return switch (ordinal) {
            case SET_OWNER_INSTALL,
                    PHYSICAL_ENABLE,
                    PHYSICAL_DISABLE,
                    PHYSICAL_SET_DEACTIVATED,
                    SET_TEMP_DEACTIVATED,
                    SET_OPERATOR_AUTH,
                    TSC_PHYSICAL_PRESENCE,
                    FORCE_CLEAR,
                    REVOKE_TRUST,
                    DISABLE_FORCE_CLEAR,
                    SET_CAPABILITY,
                    NV_DEFINE_SPACE,
                    NV_WRITE_VALUE,
                    NV_READ_VALUE -> !authorized();
            default -> false;
        };
    }

    /** Whether it is an owner's command: without an owner it fails whatever else it says. */
    boolean byOwner() {
        return authority == Authority.OWNER_OSAP
                || (authority == Authority.OWNER_OIAP && ordinal != Ordinal.TAKE_OWNERSHIP);
    }

    boolean authorized() {
        return authority != Authority.NOBODY;
    }

    /** All fields, those of the handles first. */
    List<Field> fields() {
        List<Field> all = new ArrayList<>(handles);
        all.addAll(parameters);
        return all;
    }
}
