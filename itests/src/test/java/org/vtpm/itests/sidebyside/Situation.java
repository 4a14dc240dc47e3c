package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;
import org.vtpm.itests.tpm12.Tpm12Client;

/** What a TPM is in when a request reaches it. */
enum Situation {
    /** Just made: started, without endorsement key and owner. */
    FACTORY_NEW(Kept.FACTORY_NEW, true, false),
    /** Owned, powered on, and not started. */
    NOT_STARTED(Kept.OWNED, false, false),
    /** With an endorsement key and some NV areas, but no owner; NV is not locked. */
    NO_OWNER(Kept.NO_OWNER, true, false),
    /** The same with somebody at the machine. */
    NO_OWNER_PRESENT(Kept.NO_OWNER, true, true),
    /** Owned; NV is not locked yet. */
    OWNED(Kept.OWNED, true, false),
    /** Owned, NV locked: what a platform in the field looks like. */
    LOCKED(Kept.LOCKED, true, false),
    /** The same with somebody at the machine. */
    LOCKED_PRESENT(Kept.LOCKED, true, true),
    /** Owned, locked and disabled, with somebody at the machine. */
    DISABLED(Kept.DISABLED, true, true),
    /** Owned, locked and deactivated since the last start. */
    DEACTIVATED(Kept.DEACTIVATED, true, false);

    /** What survives power loss in such a situation, and how it is reached from another. */
    enum Kept {
        FACTORY_NEW {
            @Override
            Kept from() {
                return this;
            }

            @Override
            void reach(Tpm12Client tpm) {}
        },
        NO_OWNER {
            @Override
            Kept from() {
                return FACTORY_NEW;
            }

            @Override
            void reach(Tpm12Client tpm) throws IOException {
                tpm.createEndorsementKey().orFail();
                define(tpm, Secrets.OPEN_AREA, Structures.NV_PER_PPWRITE);
                define(tpm, Secrets.OWNER_AREA, Structures.NV_PER_OWNERREAD | Structures.NV_PER_OWNERWRITE);
                define(tpm, Secrets.AUTH_AREA, Structures.NV_PER_AUTHREAD | Structures.NV_PER_AUTHWRITE);
            }
        },
        OWNED {
            @Override
            Kept from() {
                return NO_OWNER;
            }

            @Override
            void reach(Tpm12Client tpm) throws IOException {
                tpm.takeOwnership(Secrets.owner(), Secrets.srk()).orFail();
                // With an operator's secret, SetTempDeactivated can be authorized.
                tpm.assertPresence();
                tpm.execute(Ordinal.SET_OPERATOR_AUTH, Secrets.operator()).orFail();
                family(tpm, FAMILY, true);
                family(tpm, LOCKED_FAMILY, true);
                family(tpm, DISABLED_FAMILY, false);
                loadRow(tpm);
                manage(tpm, LOCKED_FAMILY, 3, u8(1));
                Session owner = tpm.osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner());
                tpm.execute(
                                Ordinal.CREATE_COUNTER,
                                concat(owner.encrypt(Secrets.counter()), new byte[] {'t', 'e', 's', 't'}),
                                Auth.once(owner, Secrets.owner()))
                        .orFail();
            }

            private void family(Tpm12Client tpm, int number, boolean enabled) throws IOException {
                manage(tpm, 0, 1, u8(number));
                manage(tpm, number, 2, u8(enabled ? 1 : 0));
            }

            private void manage(Tpm12Client tpm, int family, int operation, byte[] data) throws IOException {
                tpm.execute(
                                Ordinal.DELEGATE_MANAGE,
                                concat(u32(family), u32(operation), sized(data)),
                                Auth.once(tpm.oiap(), Secrets.owner()))
                        .orFail();
            }

            /** Row 0 of the table is a delegation to read the storage root key. */
            private void loadRow(Tpm12Client tpm) throws IOException {
                Session owner = tpm.osap(Structures.ET_OWNER, Structures.OWNER, Secrets.owner());
                byte[] made = tpm.execute(
                                Ordinal.DELEGATE_CREATE_OWNER_DELEGATION,
                                concat(
                                        u8(0),
                                        Stock.delegatePublic(1, FAMILY, 1 << 18),
                                        owner.encrypt(Secrets.delegate())),
                                Auth.once(owner, Secrets.owner()))
                        .orFail()
                        .body();
                tpm.execute(
                                Ordinal.DELEGATE_LOAD_OWNER_DELEGATION,
                                concat(u32(0), made),
                                Auth.once(tpm.oiap(), Secrets.owner()))
                        .orFail();
            }
        },
        LOCKED {
            @Override
            Kept from() {
                return OWNED;
            }

            @Override
            void reach(Tpm12Client tpm) throws IOException {
                tpm.nvDefine(-1, 0, 0).orFail();
            }
        },
        DISABLED {
            @Override
            Kept from() {
                return LOCKED;
            }

            @Override
            void reach(Tpm12Client tpm) throws IOException {
                tpm.assertPresence();
                tpm.execute(Ordinal.PHYSICAL_DISABLE, new byte[0]).orFail();
            }
        },
        DEACTIVATED {
            @Override
            Kept from() {
                return LOCKED;
            }

            @Override
            void reach(Tpm12Client tpm) throws IOException {
                tpm.assertPresence();
                tpm.execute(Ordinal.PHYSICAL_SET_DEACTIVATED, u8(1)).orFail();
            }
        };

        abstract Kept from();

        /** Goes from the started predecessor to this. */
        abstract void reach(Tpm12Client tpm) throws IOException;

        private static void define(Tpm12Client tpm, int index, int attributes) throws IOException {
            byte[] area = Structures.nvPublic(index, Secrets.AREA_SIZE, attributes);
            tpm.execute(Ordinal.NV_DEFINE_SPACE, concat(area, Secrets.area())).orFail();
        }
    }

    static final List<Situation> ALL = List.of(values());

    /** Families of delegations that an owned TPM has. */
    static final int FAMILY = 1;

    static final int LOCKED_FAMILY = 2;
    static final int DISABLED_FAMILY = 3;

    private final Kept kept;
    private final boolean started;
    private final boolean present;

    Situation(Kept kept, boolean started, boolean present) {
        this.kept = kept;
        this.started = started;
        this.present = present;
    }

    /** Whether the TPM has an owner. */
    boolean owned() {
        return kept != Kept.FACTORY_NEW && kept != Kept.NO_OWNER;
    }

    /** Whether commands of the owner's and with keys work. */
    boolean serves() {
        return started && (kept == Kept.OWNED || kept == Kept.LOCKED);
    }

    /** Whether it is there for what depends on somebody at the machine, and is for the rest like another one. */
    boolean aboutPresence() {
        return this == NO_OWNER_PRESENT || this == LOCKED_PRESENT;
    }

    /** Puts a TPM into this situation. */
    void enter(Target target, Map<Kept, Map<String, byte[]>> memory, Tpm12Client tpm) throws IOException {
        target.powerOn(state(kept, target, memory, tpm));
        if (started) {
            tpm.startup(Structures.ST_CLEAR).orFail();
        }
        if (present) {
            tpm.assertPresence();
        }
    }

    private static Map<String, byte[]> state(
            Kept kept, Target target, Map<Kept, Map<String, byte[]>> memory, Tpm12Client tpm) throws IOException {
        if (kept == Kept.FACTORY_NEW) {
            return Map.of();
        }
        Map<String, byte[]> known = memory.get(kept);
        if (known == null) {
            target.powerOn(state(kept.from(), target, memory, tpm));
            tpm.startup(Structures.ST_CLEAR).orFail();
            kept.reach(tpm);
            known = target.powerOff();
            memory.put(kept, known);
        }
        return known;
    }
}
