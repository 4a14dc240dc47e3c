package org.vtpm.shell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;
import org.vtpm.api.root.Examination;
import org.vtpm.api.root.Examination.PcrDifference;
import org.vtpm.api.storage.RootStatus;

/** Tells operators of roots of trust. */
final class RootReport {
    private RootReport() {}

    /** A line for each root. */
    static ShellTable overview(List<RootStatus> roots) {
        ShellTable table = Tables.withColumns("Name", "Place", "Enrolled", "Opens", "Development only", "Anchor")
                .emptyTableText("No root of trust is there. Start a root-* bundle: vtpm:backends, bundle:list");
        for (RootStatus root : roots) {
            table.addRow()
                    .addContent(
                            root.name(),
                            place(root),
                            yesNo(root.enrolled()),
                            opens(root),
                            yesNo(root.developmentOnly()),
                            anchor(root));
        }
        return table;
    }

    /** All there is to know of a root. */
    static ShellTable details(RootStatus root) {
        ShellTable table = Tables.withColumns("Property", "Value").noHeaders();
        table.addRow().addContent("Name", root.name());
        table.addRow().addContent("Place", place(root));
        table.addRow().addContent("Development only", yesNo(root.developmentOnly()));
        table.addRow().addContent("Enrolled", yesNo(root.enrolled()));
        if (root.enrolled()) {
            table.addRow().addContent("Opens", opens(root));
        }
        Examination examination = root.examination();
        if (examination != null) {
            if (!examination.problems().isEmpty()) {
                table.addRow().addContent("Problems", String.join("\n", examination.problems()));
            }
            for (PcrDifference difference : examination.differences()) {
                table.addRow()
                        .addContent(
                                "PCR " + difference.now().index(),
                                "now      " + Pcrs.hex(difference.now()) + "\napproved "
                                        + Pcrs.hex(difference.approved()));
            }
            if (examination.approved() > 0 || !examination.opens()) {
                table.addRow().addContent("Approved policies", examination.approved());
            }
        }
        if (root.earlier()) {
            table.addRow().addContent("Earlier seal", "kept until the new one opens");
        }
        table.addRow().addContent("Anchor", anchor(root));
        return table;
    }

    static Map<String, @Nullable Object> json(RootStatus root) {
        Examination examination = root.examination();
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("name", root.name());
        members.put("place", root.present() ? root.place() : null);
        members.put("enrolled", root.enrolled());
        members.put("opens", examination == null ? null : examination.opens());
        members.put("developmentOnly", root.developmentOnly());
        members.put("anchor", root.anchor().isPresent() ? root.anchor().getAsLong() : null);
        members.put("earlierSeal", root.earlier());
        members.put("approvedPolicies", examination == null ? null : examination.approved());
        members.put("problems", examination == null ? List.of() : examination.problems());
        List<Object> differences = new ArrayList<>();
        if (examination != null) {
            for (PcrDifference difference : examination.differences()) {
                Map<String, @Nullable Object> pcr = new LinkedHashMap<>();
                pcr.put("index", difference.now().index());
                pcr.put("now", Pcrs.hex(difference.now()));
                pcr.put("approved", Pcrs.hex(difference.approved()));
                differences.add(pcr);
            }
        }
        members.put("differences", differences);
        return members;
    }

    private static String place(RootStatus root) {
        return root.present() ? root.place() : "not there";
    }

    private static String opens(RootStatus root) {
        Examination examination = root.examination();
        return examination == null ? "-" : yesNo(examination.opens());
    }

    private static String anchor(RootStatus root) {
        return root.anchor().isPresent() ? String.valueOf(root.anchor().getAsLong()) : "-";
    }

    private static String yesNo(boolean value) {
        return value ? "yes" : "no";
    }
}
