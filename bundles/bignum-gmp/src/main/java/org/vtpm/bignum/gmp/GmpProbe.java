package org.vtpm.bignum.gmp;

import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Enables {@link GmpBigNumberProvider} only where libgmp is installed. A service that is registered but then fails to
 * activate would keep its consumers from coming up although another provider is there.
 */
@Component(
        immediate = true,
        service = {})
public final class GmpProbe {
    private static final Logger LOGGER = LoggerFactory.getLogger(GmpProbe.class);

    @Activate
    public GmpProbe(ComponentContext context) {
        try {
            LibGmp.load(LibGmp.SONAME);
        } catch (IllegalStateException e) {
            LOGGER.warn(
                    "Big numbers stay with the Java provider: {}; then bundle:restart org.vtpm.bignum.gmp",
                    e.getMessage());
            return;
        }
        context.enableComponent(GmpBigNumberProvider.COMPONENT);
    }
}
