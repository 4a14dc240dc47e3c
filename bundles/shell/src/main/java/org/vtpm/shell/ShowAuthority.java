package org.vtpm.shell;

import java.security.cert.CertificateException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.CommandException;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.manager.AuthorityInfo;
import org.vtpm.api.manager.VtpmManager;

/** {@code vtpm:ca}. */
@Service
@Command(
        scope = "vtpm",
        name = "ca",
        description = "Shows the certification authority that vouches for endorsement keys, or writes its certificate.",
        detailedDescription = "Example: vtpm:ca --pem /tmp/ca.pem; vtpm:show demo --ek-cert /tmp/demo.pem")
public final class ShowAuthority implements Action {
    @Option(name = "--json", description = "Print JSON for a script")
    private boolean json;

    @Option(name = "--pem", description = "File on the manager's host to write the CA's certificate to; - prints it")
    private @Nullable String pem;

    @Reference(optional = true)
    private @Nullable VtpmManager manager;

    @Override
    public @Nullable Object execute() throws CommandException {
        VtpmManager host = Instances.managedBy(manager);
        AuthorityInfo authority = Instances.ask(host::authority);
        Certificate certificate;
        try {
            certificate = Certificate.parse(authority.certificate());
        } catch (CertificateException e) {
            throw new CommandException("The authority '" + authority.name() + "' has no valid certificate: " + e, e);
        }
        if (pem != null) {
            certificate.write("CA certificate", pem);
        } else if (json) {
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            members.put("name", authority.name());
            members.put("issues", authority.issues());
            members.put("certificate", certificate.json());
            System.out.println(Json.write(members));
        } else {
            ShellTable table = Tables.withColumns("Property", "Value").noHeaders();
            table.addRow().addContent("Name", authority.name());
            table.addRow().addContent("Issues", authority.issues() ? "yes, to new instances" : "no, it is not enabled");
            table.addRow().addContent("Subject", certificate.subject());
            table.addRow().addContent("Serial", certificate.serial());
            table.addRow().addContent("Valid", certificate.validity());
            table.addRow().addContent("SHA-256", certificate.fingerprint());
            table.print(System.out);
        }
        return null;
    }
}
