package org.vtpm.itests.sidebyside;

import static org.vtpm.itests.tpm12.Wire.concat;
import static org.vtpm.itests.tpm12.Wire.sha1;
import static org.vtpm.itests.tpm12.Wire.sized;
import static org.vtpm.itests.tpm12.Wire.u32;
import static org.vtpm.itests.tpm12.Wire.u8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vtpm.itests.tpm12.Auth;
import org.vtpm.itests.tpm12.Ordinal;
import org.vtpm.itests.tpm12.Response;
import org.vtpm.itests.tpm12.Structures;

/**
 * Direct anonymous attestation from its first stage to its last (TPM Main Part 3, section 26), and requests that are wrong
 * at each stage.
 */
final class DaaCases {
    private static final byte[] NONE = {};
    private static final byte[] NONCE = sha1(u8(31));
    private static final byte[] MESSAGE = sha1(u8(77));
    private static final byte[] MESSAGE_IS_DIGEST = {1};

    private final DaaIssuer issuer = new DaaIssuer();

    /** One stage of a join or a sign. */
    private record Step(int stage, byte[] input0, byte[] input1) {
        Step with0(byte[] to) {
            return new Step(stage, to, input1);
        }

        Step with1(byte[] to) {
            return new Step(stage, input0, to);
        }
    }

    /** Makes a request wrong. */
    private enum Fault {
        STAGE_AFTER,
        STAGE_BEFORE,
        INPUT_0_CHANGED,
        INPUT_0_SHORT,
        INPUT_0_LONG,
        INPUT_1_CHANGED,
        INPUT_1_SHORT,
        INPUT_1_LONG,
        WRONG_HMAC,
        OTHER_COMMAND;

        Step of(Step step) {
            return switch (this) {
                case STAGE_AFTER -> new Step(step.stage() + 1, step.input0(), step.input1());
                case STAGE_BEFORE -> new Step(step.stage() - 1, step.input0(), step.input1());
                case INPUT_0_CHANGED -> step.with0(changed(step.input0()));
                case INPUT_0_SHORT -> step.with0(shorter(step.input0()));
                case INPUT_0_LONG -> step.with0(concat(step.input0(), u8(1)));
                case INPUT_1_CHANGED -> step.with1(changed(step.input1()));
                case INPUT_1_SHORT -> step.with1(shorter(step.input1()));
                case INPUT_1_LONG -> step.with1(concat(step.input1(), u8(1)));
                case WRONG_HMAC, OTHER_COMMAND -> step;
            };
        }

        private static byte[] changed(byte[] bytes) {
            byte[] changed = bytes.clone();
            if (changed.length > 0) {
                changed[changed.length - 1] ^= 2;
            }
            return changed;
        }

        private static byte[] shorter(byte[] bytes) {
            return Arrays.copyOf(bytes, Math.max(0, bytes.length - 1));
        }
    }

    /** A join and two signatures, whose proofs and signatures are verified. */
    Case whole() {
        return new Case("DAA from beginning to end", probe -> {
            join(probe);
            sign(probe);
            sign(probe);
        });
    }

    /**
     * What is wrong at one stage of a join or a sign, after all stages before it.
     *
     * @param all whether everything that can be wrong, or a part that is another one for each stage
     */
    List<Case> wrong(Ordinal command, boolean all) {
        List<Case> cases = new ArrayList<>();
        int steps = command == Ordinal.DAA_JOIN ? 26 : 16;
        for (int at = 0; at < steps; at++) {
            Fault[] faults = Fault.values();
            for (int number = 0; number < faults.length; number++) {
                if (all || (at + number) % 3 == 0) {
                    int step = at;
                    Fault fault = faults[number];
                    cases.add(new Case(
                            command + " in step " + step + ": " + fault, probe -> wrong(probe, command, step, fault)));
                }
            }
        }
        return cases;
    }

    private void wrong(Probe probe, Ordinal command, int at, Fault fault) throws IOException {
        List<Step> steps = command == Ordinal.DAA_JOIN ? joining(probe) : signing(credential(probe));
        int handle = 0;
        for (Step step : steps.subList(0, at)) {
            Response response = send(probe, command, handle, step);
            if (step.stage() == 0 && response.ok()) {
                handle = response.u32(4);
            }
        }
        Ordinal other = command == Ordinal.DAA_JOIN ? Ordinal.DAA_SIGN : Ordinal.DAA_JOIN;
        Step step = fault.of(steps.get(at));
        if (fault == Fault.WRONG_HMAC) {
            probe.send(command, u32(handle), parameters(step), Auth.wrong(probe.oiap(), Secrets.owner()));
        } else {
            send(probe, fault == Fault.OTHER_COMMAND ? other : command, handle, step);
        }
        probe.send(Ordinal.GET_CAPABILITY, concat(u32(Structures.CAP_HANDLE), sized(u32(Structures.RT_DAA))));
        send(probe, command, handle, steps.get(at));
    }

    /** The steps of a join; what comes of it is no certificate. */
    private List<Step> joining(Probe probe) {
        byte[] share = new byte[128];
        Arrays.fill(share, (byte) 0x77);
        return List.of(
                new Step(0, u32(2), NONE),
                new Step(1, issuer.rootKey(), NONE),
                new Step(1, issuer.issuerKey(), issuer.issuerKeySigned()),
                new Step(2, issuer.settings(), issuer.settingsSigned()),
                new Step(3, u32(DaaIssuer.COUNT), NONE),
                new Step(4, issuer.r0(), issuer.n()),
                new Step(5, issuer.r1(), issuer.n()),
                new Step(6, issuer.s0(), issuer.n()),
                new Step(7, issuer.s1(), issuer.n()),
                new Step(8, probe.encryptForEk(NONCE), NONE),
                new Step(9, issuer.r0(), issuer.n()),
                new Step(10, issuer.r1(), issuer.n()),
                new Step(11, issuer.s0(), issuer.n()),
                new Step(12, issuer.s1(), issuer.n()),
                new Step(13, issuer.gamma(), issuer.w()),
                new Step(14, issuer.gamma(), NONE),
                new Step(15, issuer.gamma(), NONE),
                new Step(16, NONCE, NONE),
                new Step(17, NONE, NONE),
                new Step(18, NONE, NONE),
                new Step(19, NONE, NONE),
                new Step(20, NONE, NONE),
                new Step(21, NONE, NONE),
                new Step(22, share, NONE),
                new Step(23, concat(new byte[64], share), NONE),
                new Step(24, NONE, NONE));
    }

    /** What a TPM keeps outside of itself after a join. */
    record Credential(byte[] tpm, byte[] v0, byte[] v1) {}

    private List<Step> signing(Credential credential) {
        return List.of(
                new Step(0, issuer.settings(), NONE),
                new Step(1, credential.tpm(), NONE),
                new Step(2, issuer.r0(), issuer.n()),
                new Step(3, issuer.r1(), issuer.n()),
                new Step(4, issuer.s0(), issuer.n()),
                new Step(5, issuer.s1(), issuer.n()),
                new Step(6, issuer.gamma(), issuer.w()),
                new Step(7, issuer.gamma(), NONE),
                new Step(8, issuer.gamma(), NONE),
                new Step(9, NONCE, NONE),
                new Step(10, MESSAGE_IS_DIGEST, MESSAGE),
                new Step(11, NONE, NONE),
                new Step(12, NONE, NONE),
                new Step(13, credential.v0(), NONE),
                new Step(14, credential.v0(), NONE),
                new Step(15, credential.v1(), NONE));
    }

    private void join(Probe probe) throws IOException {
        List<Step> steps = joining(probe);
        byte[][] out = new byte[25][];
        int handle = 0;
        DaaIssuer.Certificate certificate = null;
        for (Step step : steps) {
            Step sent = step;
            if (certificate != null && (step.stage() == 22 || step.stage() == 23)) {
                sent = step.with0(step.stage() == 22 ? certificate.v0() : certificate.v1());
            }
            Response response = send(probe, Ordinal.DAA_JOIN, handle, sent);
            if (!response.ok()) {
                return;
            }
            out[step.stage()] = output(response);
            if (step.stage() == 0) {
                handle = response.u32(4);
            }
            if (step.stage() == 8) {
                tell(probe, "the endorsement key", Arrays.equals(issuer.endorsed(out[7], NONCE), out[8]));
            }
            if (step.stage() == 20) {
                tell(probe, "the challenge", Arrays.equals(sha1(NONCE, out[16]), out[20]));
            }
            if (step.stage() == 21) {
                boolean proved =
                        issuer.joined(out[7], out[12], out[14], out[15], out[20], out[17], out[18], out[19], out[21]);
                tell(probe, "the join", proved);
                certificate = issuer.certify(out[7]);
            }
        }
        probe.certify(new Credential(out[24], out[22], out[23]), certificate);
    }

    private void sign(Probe probe) throws IOException {
        DaaIssuer.Certificate certificate = probe.certificate();
        if (certificate == null) {
            return;
        }
        DaaIssuer.Hidden hidden = issuer.hide(certificate);
        byte[][] out = new byte[16][];
        int handle = 0;
        for (Step step : signing(credential(probe))) {
            Step sent = step.stage() == 9 ? step.with0(issuer.challenge(hidden, out[5], out[7], out[8])) : step;
            Response response = send(probe, Ordinal.DAA_SIGN, handle, sent);
            if (!response.ok()) {
                return;
            }
            out[step.stage()] = output(response);
            if (step.stage() == 0) {
                handle = response.u32(4);
            }
        }
        tell(
                probe,
                "the signature",
                issuer.verifies(
                        hidden,
                        certificate,
                        out[7],
                        out[9],
                        out[10],
                        out[11],
                        out[12],
                        out[13],
                        out[15],
                        concat(MESSAGE_IS_DIGEST, MESSAGE)));
    }

    /** The TPM's credential; before there is one, what is none. */
    private static Credential credential(Probe probe) {
        Credential credential = probe.credential();
        return credential == null ? new Credential(new byte[4], new byte[4], new byte[4]) : credential;
    }

    /** A proof that does not hold is an error, whatever the other TPM says. */
    private static void tell(Probe probe, String what, boolean proved) {
        if (!proved) {
            throw new AssertionError(what + " is not proved: " + probe.trace());
        }
        probe.note(what + " is proved");
    }

    private static byte[] output(Response response) {
        return Arrays.copyOfRange(response.body(), 4, response.body().length);
    }

    private static Response send(Probe probe, Ordinal command, int handle, Step step) throws IOException {
        return probe.send(command, u32(handle), parameters(step), Auth.once(probe.oiap(), Secrets.owner()));
    }

    private static byte[] parameters(Step step) {
        return concat(u8(step.stage()), sized(step.input0()), sized(step.input1()));
    }
}
