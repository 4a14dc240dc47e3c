package org.vtpm.itests.karaf;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;

/** A bundle installed a second time under another name: an alternative that is as good as the original. */
final class BundleCopy {
    private BundleCopy() {}

    /** Installs a copy; the caller starts and uninstalls it. */
    static Bundle install(BundleContext context, Bundle original) throws IOException, BundleException {
        String name = original.getSymbolicName() + ".copy";
        try (JarInputStream in = new JarInputStream(new URL(original.getLocation()).openStream())) {
            return context.installBundle(name, renamed(in, name));
        }
    }

    private static InputStream renamed(JarInputStream in, String name) throws IOException {
        Manifest manifest = in.getManifest();
        manifest.getMainAttributes().putValue(Constants.BUNDLE_SYMBOLICNAME, name);
        ByteArrayOutputStream copy = new ByteArrayOutputStream();
        try (JarOutputStream out = new JarOutputStream(copy, manifest)) {
            for (JarEntry entry = in.getNextJarEntry(); entry != null; entry = in.getNextJarEntry()) {
                out.putNextEntry(new JarEntry(entry.getName()));
                in.transferTo(out);
            }
        }
        return new ByteArrayInputStream(copy.toByteArray());
    }
}
