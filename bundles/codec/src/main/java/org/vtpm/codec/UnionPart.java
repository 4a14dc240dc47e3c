package org.vtpm.codec;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One of several records, told apart by the constant they start with. */
final class UnionPart implements Part {
    private final int tagBytes;
    private final Map<Class<?>, RecordPart> records;

    private UnionPart(int tagBytes, Map<Class<?>, RecordPart> records) {
        this.tagBytes = tagBytes;
        this.records = records;
    }

    static UnionPart of(Class<?> type) {
        Map<Class<?>, RecordPart> records = new LinkedHashMap<>();
        int bytes = 0;
        for (Class<?> permitted : type.getPermittedSubclasses()) {
            RecordPart part = permitted.isRecord() ? RecordPart.of(permitted) : null;
            TagPart tag = part == null ? null : part.tag();
            if (part == null || tag == null || (bytes != 0 && bytes != tag.bytes())) {
                throw new IllegalArgumentException(permitted.getName() + " needs a @Tag as wide as its siblings'");
            }
            bytes = tag.bytes();
            records.put(permitted, part);
        }
        return new UnionPart(bytes, records);
    }

    @Override
    public Object read(ByteReader in) throws CodecException {
        long found = in.unsigned(tagBytes);
        TagPart last = null;
        for (RecordPart part : records.values()) {
            last = Objects.requireNonNull(part.tag());
            if (last.matches(found)) {
                return part.readComponents(in);
            }
        }
        throw Objects.requireNonNull(last).wrong(found);
    }

    @Override
    public void write(ByteWriter out, @Nullable Object value) {
        RecordPart part = records.get(Objects.requireNonNull(value).getClass());
        Objects.requireNonNull(part).write(out, value);
    }
}
