package org.vtpm.codec;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A constant at the start of a structure. Records that implement one sealed interface are told apart by their
 * constants, which must all have the same width.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Tag {
    /** The constant, right-aligned. */
    long value();

    /** Width of the constant in bytes, 1 to 4. */
    int bytes() default 2;

    /** The bits that are compared on input; the others are ignored there and written as in {@link #value()}. */
    long mask() default 0xFFFFFFFFL;

    /** What a mismatch is reported as. */
    CodecException.Kind mismatch() default CodecException.Kind.BAD_TAG;
}
