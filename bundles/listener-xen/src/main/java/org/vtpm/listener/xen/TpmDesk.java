package org.vtpm.listener.xen;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.TpmFamily;

/**
 * Hands TPMs to devices: a TPM has one device at a time. Who comes while it is being given back gets it next; who comes
 * while another has it gets it only if the guest moves from that one. Used by one thread; what the manager has to do is done
 * on others, which hand the outcome back to it.
 */
final class TpmDesk {
    /** What became of a wish. */
    sealed interface Outcome {}

    /** The TPM is there. */
    record Granted(TpmFamily family) implements Outcome {}

    /** It is not to be had. */
    record Denied(String reason) implements Outcome {}

    /** A device that waits for a TPM that another has. */
    private record Waiter(DeviceId device, DeviceEffects.Claim claim, String guest, Consumer<Outcome> answer) {}

    private static final class Holding {
        private DeviceId holder;
        private boolean releasing;
        private @Nullable Waiter next;

        Holding(DeviceId holder) {
            this.holder = holder;
        }
    }

    private final Power power;
    private final Executor work;
    private final Executor back;
    private final Map<UUID, Holding> holdings = new HashMap<>();

    /**
     * @param work where the manager's work is done, which may take long
     * @param back brings outcomes to the thread that uses this
     */
    TpmDesk(Power power, Executor work, Executor back) {
        this.power = power;
        this.work = work;
        this.back = back;
    }

    /**
     * Asks for a TPM.
     *
     * @param guest the name of the guest's domain
     * @param check looks anew whether a device is still wanted
     * @param answer gets the outcome
     * @return whether it may take as long as another guest likes
     */
    boolean claim(
            DeviceId device,
            DeviceEffects.Claim claim,
            String guest,
            Consumer<DeviceId> check,
            Consumer<Outcome> answer) {
        Holding held = holdings.get(claim.tpm());
        if (held == null) {
            holdings.put(claim.tpm(), new Holding(device));
            turnOn(device, claim, guest, answer);
            return false;
        }
        if (!held.releasing && !claim.incoming()) {
            // The other one may have gone, and the news of it be on the way.
            check.accept(held.holder);
            Holding now = holdings.get(claim.tpm());
            if (now == null) {
                return claim(device, claim, guest, check, answer);
            }
        }
        if ((held.releasing || claim.incoming()) && held.next == null) {
            held.next = new Waiter(device, claim, guest, answer);
            return true;
        }
        DeviceId other = held.next == null ? held.holder : held.next.device();
        answer.accept(new Denied(
                "its vTPM " + claim.tpm() + " is in use by " + other + "; give each device a uuid of its own"));
        return false;
    }

    /** A device that waits for a TPM wants it no more. */
    void withdraw(DeviceId device, UUID tpm) {
        Holding held = holdings.get(tpm);
        if (held != null && held.next != null && held.next.device().equals(device)) {
            Consumer<Outcome> answer = held.next.answer();
            held.next = null;
            answer.accept(new Denied("it is wanted no more"));
        }
    }

    /** Gives a TPM back; {@code done} runs when that is complete. */
    void release(DeviceId device, UUID tpm, Runnable done) {
        Holding held = holdings.computeIfAbsent(tpm, unheld -> new Holding(device));
        held.releasing = true;
        Waiter heir = held.next != null && held.next.claim().incoming() ? held.next : null;
        work.execute(() -> {
            Outcome handover = heir == null ? off(device, tpm) : power.move(tpm, device, heir.device());
            back.execute(() -> {
                holdings.remove(tpm);
                done.run();
                Waiter next = held.next;
                if (next == null) {
                    if (heir != null) {
                        // It has gone while the TPM was on its way.
                        release(heir.device(), tpm, () -> {});
                    }
                    return;
                }
                holdings.put(tpm, new Holding(next.device()));
                if (next.equals(heir)) {
                    finish(tpm, handover, next.answer());
                } else {
                    turnOn(next.device(), next.claim(), next.guest(), next.answer());
                }
            });
        });
    }

    private Outcome off(DeviceId device, UUID tpm) {
        power.off(tpm, device);
        return new Denied("it was powered off");
    }

    private void turnOn(DeviceId device, DeviceEffects.Claim claim, String guest, Consumer<Outcome> answer) {
        work.execute(() -> {
            Outcome outcome = power.on(device, claim, guest);
            back.execute(() -> finish(claim.tpm(), outcome, answer));
        });
    }

    private void finish(UUID tpm, Outcome outcome, Consumer<Outcome> answer) {
        Waiter next = null;
        if (outcome instanceof Denied) {
            Holding held = holdings.remove(tpm);
            next = held == null ? null : held.next;
        }
        answer.accept(outcome);
        if (next != null) {
            holdings.put(tpm, new Holding(next.device()));
            turnOn(next.device(), next.claim(), next.guest(), next.answer());
        }
    }

    /** What is done to instances for guests; may take long, does not throw. */
    interface Power {
        /** Powers a TPM on for a guest that boots, or leaves it as it is for one that goes on. */
        Outcome on(DeviceId device, DeviceEffects.Claim claim, String guest);

        /** Powers a TPM off after its guest. */
        void off(UUID tpm, DeviceId device);

        /** Lets a TPM go with its guest from one device to another. */
        Outcome move(UUID tpm, DeviceId from, DeviceId to);
    }
}
