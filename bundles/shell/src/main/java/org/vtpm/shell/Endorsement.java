package org.vtpm.shell;

import java.security.cert.CertificateException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.engine.EndorsementInfo;
import org.vtpm.api.manager.InstanceInfo;
import org.vtpm.api.manager.VtpmException;
import org.vtpm.api.manager.VtpmManager;

/**
 * An instance's endorsement key and what there is of a certificate for it.
 *
 * @param keyFingerprint SHA-256 of the key's SubjectPublicKeyInfo in hexadecimal, or null if there is no key
 * @param certificate what a guest finds, or null if that is nothing that could be its certificate
 * @param problem why there is no key or certificate to be shown although there might be, or null
 */
record Endorsement(
        @Nullable String keyFingerprint,
        @Nullable Certificate certificate,
        @Nullable String problem) {

    /** Reads an instance's endorsement; if that fails the rest of the instance can be shown all the same. */
    static Endorsement of(InstanceInfo instance, VtpmManager manager) {
        UUID uuid = instance.record().uuid();
        try {
            Optional<EndorsementInfo> info = manager.endorsement(uuid);
            return info.isEmpty() ? new Endorsement(null, null, null) : of(info.get());
        } catch (VtpmException e) {
            return new Endorsement(null, null, e.getMessage());
        }
    }

    private static Endorsement of(EndorsementInfo info) {
        String key = Certificate.sha256(info.publicKey());
        byte[] der = info.certificate();
        if (der == null) {
            return new Endorsement(key, null, null);
        }
        try {
            Certificate certificate = Certificate.parse(der);
            return certificate.isFor(info.publicKey())
                    ? new Endorsement(key, certificate, null)
                    : new Endorsement(key, null, "the guest put a certificate of another key in its place");
        } catch (CertificateException e) {
            return new Endorsement(key, null, "the guest overwrote it with what is no certificate");
        }
    }

    void addTo(ShellTable table) {
        String problemOr = problem == null ? "none" : problem;
        table.addRow().addContent("EK SHA-256", keyFingerprint == null ? problemOr : keyFingerprint);
        if (keyFingerprint != null) {
            table.addRow()
                    .addContent(
                            "EK certificate",
                            certificate == null
                                    ? problemOr
                                    : "serial " + certificate.serial() + "\nissuer " + certificate.issuer() + "\nvalid "
                                            + certificate.validity());
        }
    }

    Map<String, @Nullable Object> json() {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("keySha256", keyFingerprint);
        members.put("certificate", certificate == null ? null : certificate.json());
        members.put("problem", problem);
        return members;
    }

    /** Writes the certificate's PEM; see {@link Certificate#write}. */
    void writeCertificate(String instance, String target) throws CommandException {
        if (certificate == null) {
            String reason = keyFingerprint == null && problem == null ? "it has no endorsement key" : problem;
            throw new CommandException("Instance '" + instance + "' has no EK certificate"
                    + (reason == null ? "; one is issued only by vtpm:create" : ": " + reason));
        }
        certificate.write("EK certificate of '" + instance + "'", target);
    }
}
