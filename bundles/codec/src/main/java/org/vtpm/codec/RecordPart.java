package org.vtpm.codec;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A record: its {@link Tag}, if it has one, then its components in order. */
final class RecordPart implements Part {
    private final @Nullable TagPart tag;
    private final MethodHandle constructor;
    private final MethodHandle[] accessors;
    private final Part[] parts;

    private RecordPart(@Nullable TagPart tag, MethodHandle constructor, MethodHandle[] accessors, Part[] parts) {
        this.tag = tag;
        this.constructor = constructor;
        this.accessors = accessors;
        this.parts = parts;
    }

    static RecordPart of(Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        try {
            return new RecordPart(
                    TagPart.of(type), constructor(type, components), accessors(components), parts(components));
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(type + " cannot be reached", e);
        }
    }

    @Nullable
    TagPart tag() {
        return tag;
    }

    @Override
    public Object read(ByteReader in) throws CodecException {
        if (tag != null) {
            tag.expect(in);
        }
        return readComponents(in);
    }

    /** Reads what follows the tag. */
    Object readComponents(ByteReader in) throws CodecException {
        @Nullable Object[] values = new @Nullable Object[parts.length];
        for (int i = 0; i < parts.length; i++) {
            values[i] = parts[i].read(in);
        }
        try {
            return (Object) constructor.invokeExact(values);
        } catch (Throwable t) {
            throw unchecked(t);
        }
    }

    @Override
    public void write(ByteWriter out, @Nullable Object value) {
        Object record = Objects.requireNonNull(value);
        if (tag != null) {
            tag.write(out);
        }
        for (int i = 0; i < parts.length; i++) {
            Object component;
            try {
                component = (Object) accessors[i].invokeExact(record);
            } catch (Throwable t) {
                throw unchecked(t);
            }
            parts[i].write(out, component);
        }
    }

    private static Part[] parts(RecordComponent[] components) {
        for (int i = 0; i < components.length - 1; i++) {
            if (components[i].isAnnotationPresent(Rest.class)) {
                throw new IllegalArgumentException(components[i] + ": @Rest must come last");
            }
        }
        return Arrays.stream(components).map(Parts::component).toArray(Part[]::new);
    }

    private static MethodHandle constructor(Class<?> type, RecordComponent[] components)
            throws ReflectiveOperationException {
        Constructor<?> canonical = type.getDeclaredConstructor(
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
        canonical.setAccessible(true);
        return MethodHandles.lookup()
                .unreflectConstructor(canonical)
                .asSpreader(Object[].class, components.length)
                .asType(MethodType.methodType(Object.class, Object[].class));
    }

    private static MethodHandle[] accessors(RecordComponent[] components) throws ReflectiveOperationException {
        MethodHandle[] accessors = new MethodHandle[components.length];
        for (int i = 0; i < components.length; i++) {
            Method accessor = components[i].getAccessor();
            accessor.setAccessible(true);
            accessors[i] = MethodHandles.lookup()
                    .unreflect(accessor)
                    .asType(MethodType.methodType(Object.class, Object.class));
        }
        return accessors;
    }

    private static RuntimeException unchecked(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return thrown instanceof RuntimeException e ? e : new IllegalStateException(thrown);
    }
}
