package org.vtpm.shell;

import org.apache.karaf.shell.support.table.ShellTable;

/** Starts tables in the look of Karaf's own commands. */
final class Tables {
    private Tables() {}

    static ShellTable withColumns(String... headers) {
        ShellTable table = new ShellTable();
        for (String header : headers) {
            table.column(header);
        }
        return table;
    }
}
