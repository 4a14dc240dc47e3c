package org.vtpm.codec;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.List;

/** Finds the layout that a class or a record component declares. */
final class Parts {
    private Parts() {}

    /** The layout of a record class or sealed interface. */
    static Part structure(Class<?> type) {
        if (type.isRecord()) {
            return RecordPart.of(type);
        }
        if (type.isInterface() && type.isSealed()) {
            return UnionPart.of(type);
        }
        throw new IllegalArgumentException(type.getName() + " is neither a record nor a sealed interface");
    }

    /** The layout of one component, by its type and annotations. */
    static Part component(RecordComponent component) {
        Class<?> type = component.getType();
        if (type == boolean.class) {
            return new NumberParts.Bool();
        }
        if (type == int.class) {
            return new NumberParts.IntNumber(
                    component.isAnnotationPresent(U8.class) ? 1 : component.isAnnotationPresent(U16.class) ? 2 : 4);
        }
        if (type == long.class) {
            return new NumberParts.LongNumber(component.isAnnotationPresent(U32.class) ? 4 : 8);
        }
        if (type.isEnum()) {
            return new NumberParts.Constant(type.getEnumConstants());
        }
        if (type == byte[].class) {
            return bytes(component);
        }
        if (type == int[].class) {
            return list(component, new ListParts.IntArray(new NumberParts.IntNumber(4)));
        }
        if (type == List.class) {
            return list(component, new ListParts.ListOf(structure(elementType(component))));
        }
        return nested(component, type);
    }

    private static Part bytes(RecordComponent component) {
        Fixed fixed = component.getAnnotation(Fixed.class);
        if (fixed != null) {
            return new ByteParts.FixedBytes(fixed.value());
        }
        Sized sized = component.getAnnotation(Sized.class);
        if (sized != null) {
            Part bytes = new ByteParts.SizedBytes(width(sized.prefix()), sized.max());
            return component.isAnnotationPresent(Present.class) ? new ByteParts.PresentStructure(bytes) : bytes;
        }
        if (component.isAnnotationPresent(Rest.class)) {
            return new ByteParts.RestBytes();
        }
        throw unclear(component, "@Fixed, @Sized or @Rest");
    }

    private static Part list(RecordComponent component, ListParts.Elements elements) {
        Counted counted = component.getAnnotation(Counted.class);
        if (counted != null) {
            return new ListParts.CountedList(width(counted.prefix()), counted.max(), elements);
        }
        if (component.isAnnotationPresent(Rest.class)) {
            return new ListParts.RestList(elements);
        }
        throw unclear(component, "@Counted or @Rest");
    }

    private static Part nested(RecordComponent component, Class<?> type) {
        Part part = structure(type);
        Sized sized = component.getAnnotation(Sized.class);
        if (sized != null) {
            return new ByteParts.SizedStructure(width(sized.prefix()), sized.max(), part);
        }
        return component.isAnnotationPresent(Present.class) ? new ByteParts.PresentStructure(part) : part;
    }

    private static Class<?> elementType(RecordComponent component) {
        if (component.getGenericType() instanceof ParameterizedType list) {
            Type element = list.getActualTypeArguments()[0];
            if (element instanceof Class<?> type) {
                return type;
            }
        }
        throw unclear(component, "a List of records");
    }

    private static int width(int prefix) {
        if (prefix != 1 && prefix != 2 && prefix != 4) {
            throw new IllegalArgumentException("prefix of " + prefix + " bytes");
        }
        return prefix;
    }

    private static IllegalArgumentException unclear(RecordComponent component, String wanted) {
        AnnotatedElement record = component.getDeclaringRecord();
        return new IllegalArgumentException(record + "." + component.getName() + " needs " + wanted);
    }
}
