package org.vtpm.vtpmd;

import java.io.PrintStream;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.bignum.BigNumberProvider;
import org.vtpm.bignum.gmp.GmpBigNumberProvider;
import org.vtpm.bignum.java.JavaBigNumberProvider;

/**
 * The big-number provider of the process: GMP where it is installed, else Java's. Bound at the first use, since most
 * guests boot without RSA and native calls double the size of the process. Used by the engine's thread only.
 */
final class BigNumbers implements Supplier<BigNumberProvider> {
    private final Supplier<BigNumberProvider> preferred;
    private final PrintStream err;
    private @Nullable BigNumberProvider bound;

    BigNumbers(PrintStream err) {
        this(GmpBigNumberProvider::new, err);
    }

    BigNumbers(Supplier<BigNumberProvider> preferred, PrintStream err) {
        this.preferred = preferred;
        this.err = err;
    }

    @Override
    public BigNumberProvider get() {
        BigNumberProvider provider = bound;
        if (provider == null) {
            provider = bind();
            bound = provider;
        }
        return provider;
    }

    private BigNumberProvider bind() {
        try {
            return preferred.get();
        } catch (IllegalStateException | LinkageError e) {
            err.println("vtpmd: big numbers are Java's: " + e.getMessage());
            return new JavaBigNumberProvider();
        }
    }
}
