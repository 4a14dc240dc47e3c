package org.vtpm.storage;

import java.io.IOException;
import java.util.UUID;
import org.vtpm.api.instance.InstanceRecord;
import org.vtpm.storage.journal.Change;

/** The instances' records in the journal. */
final class Records {
    private final KeyedJournal journal;

    Records(KeyedJournal journal) {
        this.journal = journal;
    }

    InstanceRecord read(UUID instance) throws IOException {
        try {
            return RecordLayout.decode(journal.read(journal.item(ItemKind.RECORD.of(instance))), instance);
        } catch (IOException e) {
            throw new UnusableException("its record", e);
        }
    }

    /** The change that stores a record. */
    Change put(InstanceRecord record) throws IOException {
        return journal.next(ItemKind.RECORD.of(record.uuid()), version -> RecordLayout.encode(record));
    }
}
