package org.vtpm.listener.xen;

import java.io.IOException;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The backend's end of one device: what it does when XenStore's nodes change, and when its TPM comes or does not. It
 * decides by what the nodes are, not by what they were, so news may come late or together. Used by one thread.
 *
 * <p>Only the toolstack can make it take or give back a TPM, which is when one is powered on and off; whatever the guest
 * writes makes it connect and disconnect at most, and the TPM goes on.
 */
final class Device {
    /** How far a device is. */
    enum Phase {
        /** Nothing is known of it. */
        NEW,
        /** It waits for its TPM. */
        CLAIMING,
        /** It has its TPM and waits for its guest. */
        WAITING,
        /** It serves its guest. */
        CONNECTED,
        /** It got no TPM. */
        REFUSED,
        /** Its TPM is being given back. */
        RELEASING,
        /** It has nothing any more, and waits for the toolstack to remove it. */
        LEFT,
        /** It is removed. */
        GONE
    }

    private final DeviceEffects effects;
    private Phase phase = Phase.NEW;
    private Nodes nodes = Nodes.ABSENT;
    private XenbusState state = XenbusState.UNKNOWN;
    private @Nullable UUID tpm;
    private Nodes.@Nullable Link link;
    private Nodes.@Nullable Link failedLink;
    /** Whether XenStore knew the domain once: devices are made before it does. */
    private boolean seenAlive;
    /** Whether the toolstack has removed the device, or replaced it, while it waited for its TPM. */
    private boolean abandoned;
    /** Whether this end has said anything since it began. */
    private boolean spoke;
    /** Whether this end has told its protocol. */
    private boolean announced;
    /**
     * Whether the toolstack must have seen that this end waits. It reads the state some time after it was changed; a guest
     * that is quick would take this end on before that, and the toolstack would wait for what is past.
     */
    private boolean shown;
    /** Whether the guest was connected with an earlier backend. */
    private boolean resumed;

    private boolean reported;

    Device(DeviceEffects effects) {
        this.effects = effects;
    }

    Phase phase() {
        return phase;
    }

    /** What XenStore said last. */
    Nodes nodes() {
        return nodes;
    }

    /** The TPM that it has, or waits for. */
    @Nullable
    UUID tpm() {
        return tpm;
    }

    /** XenStore's nodes as they are now. */
    void seen(Nodes now) throws IOException {
        nodes = now;
        state = now.backend();
        seenAlive |= now.alive();
        boolean wanted = now.present() && now.online() && (now.alive() || !seenAlive);
        switch (phase) {
            case NEW -> begin(wanted);
            case CLAIMING -> {
                abandoned |= !wanted || replaced();
                if (abandoned) {
                    effects.withdraw(Objects.requireNonNull(tpm));
                }
                if (!wanted) {
                    close();
                }
            }
            case WAITING, CONNECTED -> {
                if (!wanted || replaced()) {
                    leave(wanted);
                } else {
                    announce();
                    followFrontend();
                }
            }
            case REFUSED -> {
                if (!wanted) {
                    close();
                    end();
                } else if (replaced()) {
                    restart();
                } else {
                    close();
                }
            }
            case RELEASING -> {
                if (!wanted) {
                    close();
                }
            }
            case LEFT -> {
                if (!wanted) {
                    close();
                    end();
                } else if (state == XenbusState.INITIALISING) {
                    restart();
                }
            }
            case GONE -> {}
        }
    }

    /** The TPM that was asked for is there, and powered on. What XenStore says has to be {@link #seen} anew after that. */
    void granted() {
        if (phase != Phase.CLAIMING) {
            throw new IllegalStateException("granted while " + phase);
        }
        if (abandoned) {
            release();
        } else {
            phase = Phase.WAITING;
        }
    }

    /** The TPM that was asked for is not to be had. What XenStore says has to be {@link #seen} anew after that. */
    void denied(String reason) throws IOException {
        if (phase != Phase.CLAIMING) {
            throw new IllegalStateException("denied while " + phase);
        }
        if (abandoned) {
            phase = Phase.LEFT;
        } else {
            phase = Phase.REFUSED;
            report(reason);
        }
    }

    /** The TPM is given back. What XenStore says has to be {@link #seen} anew after that. */
    void released() {
        if (phase != Phase.RELEASING) {
            throw new IllegalStateException("released while " + phase);
        }
        tpm = null;
        phase = Phase.LEFT;
    }

    /** The toolstack will not wait much longer for this end to say something. */
    void hurry() throws IOException {
        if (phase == Phase.CLAIMING && !abandoned && !resumed) {
            announce();
        }
    }

    /** The toolstack has had time to see that this end waits. What XenStore says has to be {@link #seen} anew after that. */
    void paused() {
        shown = true;
    }

    private void begin(boolean wanted) throws IOException {
        if (!wanted) {
            close();
            end();
        } else if (nodes.fault() != null || nodes.uuid() == null) {
            tpm = nodes.uuid();
            phase = Phase.REFUSED;
            report(nodes.fault() != null ? nodes.fault() : "the toolstack gave it no uuid");
            close();
        } else {
            resumed = state == XenbusState.CONNECTED;
            tpm = nodes.uuid();
            phase = Phase.CLAIMING;
            boolean known = state != XenbusState.INITIALISING && state != XenbusState.UNKNOWN;
            effects.claim(new DeviceEffects.Claim(tpm, known, nodes.incoming()));
        }
    }

    /** Tells the toolstack and the guest that this end is there. */
    private void announce() throws IOException {
        if (announced) {
            return;
        }
        effects.announce();
        shown = resumed;
        if (!resumed) {
            say(XenbusState.INIT_WAIT);
            effects.pause();
        }
        // Last, as whatever fails here is done again.
        announced = true;
    }

    /** Whether the toolstack has removed the device and made another in its place, and nobody told in between. */
    private boolean replaced() {
        return state == XenbusState.INITIALISING && (spoke || resumed || !Objects.equals(tpm, nodes.uuid()));
    }

    private void followFrontend() throws IOException {
        switch (nodes.frontend()) {
            case INITIALISED, CONNECTED -> connect();
            case CLOSING -> {
                disconnect();
                failedLink = null;
                say(XenbusState.CLOSING);
            }
            case UNKNOWN, INITIALISING, INIT_WAIT, CLOSED -> {
                disconnect();
                failedLink = null;
                say(XenbusState.INIT_WAIT);
            }
            case RECONFIGURING, RECONFIGURED -> {}
        }
    }

    private void connect() throws IOException {
        Nodes.Link wanted = nodes.link();
        if (!shown) {
            return;
        }
        if (phase == Phase.CONNECTED) {
            if (Objects.equals(link, wanted)) {
                say(XenbusState.CONNECTED);
                return;
            }
            // The guest's driver was started anew without a word.
            disconnect();
        }
        if (wanted == null) {
            fail(nodes.linkFault() == null ? "the frontend gave no ring-ref or event-channel" : nodes.linkFault());
        } else if (nodes.linkFault() != null) {
            fail(nodes.linkFault());
        } else if (wanted.equals(failedLink)) {
            say(XenbusState.CLOSED);
        } else {
            boolean interrupted = resumed && !nodes.ready().equals("0");
            try {
                effects.connect(wanted, interrupted);
            } catch (DeviceEffects.LinkException e) {
                failedLink = wanted;
                fail(String.valueOf(e.getMessage()));
                return;
            }
            resumed = false;
            failedLink = null;
            link = wanted;
            phase = Phase.CONNECTED;
            say(XenbusState.CONNECTED);
            clearReport();
        }
    }

    /** The guest's end is not usable; it may close and try again. */
    private void fail(String reason) throws IOException {
        resumed = false;
        if (state != XenbusState.CLOSED) {
            report(reason);
            say(XenbusState.CLOSED);
        }
    }

    private void disconnect() {
        disconnect(false);
    }

    private void disconnect(boolean unplugged) {
        if (phase == Phase.CONNECTED) {
            effects.disconnect(unplugged);
            phase = Phase.WAITING;
            link = null;
        }
        resumed = false;
    }

    private void leave(boolean wanted) throws IOException {
        boolean guestIsThere = !wanted
                && nodes.present()
                && nodes.alive()
                && nodes.frontend() == XenbusState.CONNECTED
                && Objects.equals(nodes.link(), link);
        disconnect(guestIsThere);
        if (!wanted) {
            close();
        }
        release();
    }

    private void release() {
        phase = Phase.RELEASING;
        effects.release(Objects.requireNonNull(tpm));
    }

    /** Says that nothing is held of the guest's any more. */
    private void close() throws IOException {
        if (nodes.present()) {
            say(XenbusState.CLOSED);
        }
    }

    /** Nothing is held any more. */
    private void end() throws IOException {
        clearReport();
        if (nodes.present()) {
            phase = Phase.LEFT;
        } else {
            phase = Phase.GONE;
            effects.forget();
        }
    }

    private void restart() throws IOException {
        clearReport();
        phase = Phase.NEW;
        tpm = null;
        failedLink = null;
        seenAlive = false;
        abandoned = false;
        spoke = false;
        announced = false;
        shown = false;
        resumed = false;
        seen(nodes);
    }

    private void say(XenbusState next) throws IOException {
        if (state != next) {
            effects.state(next);
            state = next;
        }
        spoke = true;
    }

    private void report(String reason) throws IOException {
        reported = true;
        effects.report(reason);
    }

    private void clearReport() throws IOException {
        if (reported) {
            reported = false;
            effects.clearReport();
        }
    }
}
