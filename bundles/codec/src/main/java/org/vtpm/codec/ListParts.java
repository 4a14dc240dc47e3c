package org.vtpm.codec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Lists of elements behind a count, or up to the end of the input. */
final class ListParts {
    private ListParts() {}

    /** What the elements are and which Java type holds them all. */
    sealed interface Elements {
        Part element();

        List<?> toList(Object value);

        Object fromList(List<?> values);
    }

    record ListOf(Part element) implements Elements {
        @Override
        public List<?> toList(Object value) {
            return (List<?>) value;
        }

        @Override
        public Object fromList(List<?> values) {
            return List.copyOf(values);
        }
    }

    record IntArray(Part element) implements Elements {
        @Override
        public List<?> toList(Object value) {
            return Arrays.stream((int[]) value).boxed().toList();
        }

        @Override
        public Object fromList(List<?> values) {
            return values.stream().mapToInt(Integer.class::cast).toArray();
        }
    }

    record CountedList(int prefix, int max, Elements elements) implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            int count = in.length(prefix, max);
            // The count is not trusted for an allocation: a lying one fails at the first missing element.
            List<Object> values = new ArrayList<>(Math.min(count, 64));
            for (int i = 0; i < count; i++) {
                values.add(Objects.requireNonNull(elements.element().read(in)));
            }
            return elements.fromList(values);
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            List<?> values = elements.toList(Objects.requireNonNull(value));
            out.number(ByteParts.checked(values.size(), prefix, max), prefix);
            values.forEach(element -> elements.element().write(out, element));
        }
    }

    record RestList(Elements elements) implements Part {
        @Override
        public Object read(ByteReader in) throws CodecException {
            List<Object> values = new ArrayList<>();
            while (in.remaining() > 0) {
                values.add(Objects.requireNonNull(elements.element().read(in)));
            }
            return elements.fromList(values);
        }

        @Override
        public void write(ByteWriter out, @Nullable Object value) {
            elements.toList(Objects.requireNonNull(value))
                    .forEach(element -> elements.element().write(out, element));
        }
    }
}
