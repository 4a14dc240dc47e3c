package org.vtpm.vtpmd;

import java.util.List;
import org.vtpm.engine.tpm12.Tpm12EngineFactory;

/** The process {@code vtpmd INSTANCE COMMANDS RESPONSES FAMILY}, launched by the manager; see {@link Vtpmd}. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Vtpmd vtpmd = new Vtpmd(
                List.of(new Tpm12EngineFactory(new BigNumbers(System.err))), System.in, System.err, System::exit);
        System.exit(vtpmd.run(List.of(arguments)));
    }
}
