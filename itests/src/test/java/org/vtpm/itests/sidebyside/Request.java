package org.vtpm.itests.sidebyside;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.vtpm.itests.tpm12.Ordinal;

/**
 * The shape of one command: its fields in wire order, and who authorizes it, block by block.
 *
 * @param label tells shapes of the same command apart
 * @param handles fields that no digest covers
 * @param before what has to be sent first, or null
 * @param wellFramedOnly whether each case takes so long that few have to do
 */
record Request(
        String label,
        Ordinal ordinal,
        List<Authority> authorities,
        List<Field> handles,
        List<Field> parameters,
        @Nullable Step before,
        boolean wellFramedOnly) {
    /** Commands without authorization that work with keys or with what the owner made. */
    private static final Set<Ordinal> NEEDS_OWNER = EnumSet.of(
            Ordinal.LOAD_KEY2,
            Ordinal.GET_PUB_KEY,
            Ordinal.EVICT_KEY,
            Ordinal.SIGN,
            Ordinal.CERTIFY_KEY,
            Ordinal.DSAP,
            Ordinal.DELEGATE_VERIFY_DELEGATION,
            Ordinal.SET_OWNER_POINTER,
            Ordinal.SAVE_CONTEXT,
            Ordinal.LOAD_CONTEXT,
            Ordinal.SAVE_KEY_CONTEXT,
            Ordinal.LOAD_KEY_CONTEXT,
            Ordinal.SAVE_AUTH_CONTEXT,
            Ordinal.LOAD_AUTH_CONTEXT,
            Ordinal.ESTABLISH_TRANSPORT);

    /** Commands that can be authorized without an owner. */
    private static final Set<Ordinal> WITHOUT_OWNER = EnumSet.of(
            Ordinal.TAKE_OWNERSHIP,
            Ordinal.SET_TEMP_DEACTIVATED,
            Ordinal.NV_WRITE_VALUE_AUTH,
            Ordinal.NV_READ_VALUE_AUTH);

    /** Commands of the owner's that work while the TPM is disabled or deactivated. */
    private static final Set<Ordinal> WHILE_DISABLED = EnumSet.of(
            Ordinal.DSAP,
            Ordinal.OWNER_SET_DISABLE,
            Ordinal.SET_CAPABILITY,
            Ordinal.NV_WRITE_VALUE,
            Ordinal.NV_READ_VALUE);

    /** Something sent ahead of a request, to make it meaningful. */
    @FunctionalInterface
    interface Step {
        void run(Probe probe) throws IOException;
    }

    static Request of(Ordinal ordinal, Field... parameters) {
        return new Request(ordinal.name(), ordinal, List.of(), List.of(), List.of(parameters), null, false);
    }

    static Request of(Ordinal ordinal, Authority authority, Field... parameters) {
        return new Request(
                ordinal.name() + " by " + authority,
                ordinal,
                List.of(authority),
                List.of(),
                List.of(parameters),
                null,
                false);
    }

    /** The same with a second authorization. */
    Request and(Authority second) {
        return new Request(
                label + " and " + second,
                ordinal,
                List.of(authorities.get(0), second),
                handles,
                parameters,
                before,
                wellFramedOnly);
    }

    Request withHandles(Field... all) {
        return new Request(label, ordinal, authorities, List.of(all), parameters, before, wellFramedOnly);
    }

    Request after(Step step) {
        return new Request(label, ordinal, authorities, handles, parameters, step, wellFramedOnly);
    }

    /** The same without the variants that are wrong in their fields or their form. */
    Request inFewCases() {
        return new Request(label, ordinal, authorities, handles, parameters, before, true);
    }

    Request labelled(String name) {
        return new Request(label + " " + name, ordinal, authorities, handles, parameters, before, wellFramedOnly);
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

    /** Whether it can succeed in a situation, or fails there whatever else it says. */
    boolean canSucceed(Situation situation) {
        boolean needsOwner = NEEDS_OWNER.contains(ordinal) || (authorized() && !WITHOUT_OWNER.contains(ordinal));
        return !needsOwner || situation.serves() || (situation.owned() && WHILE_DISABLED.contains(ordinal));
    }

    boolean authorized() {
        return !authorities.isEmpty();
    }

    /** All fields, those of the handles first. */
    List<Field> fields() {
        List<Field> all = new ArrayList<>(handles);
        all.addAll(parameters);
        return all;
    }
}
