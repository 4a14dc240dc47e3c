package org.vtpm.codec;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A number of elements, then the elements: an {@code int[]} or a {@code List} of records. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Counted {
    /** Width of the count in bytes: 1, 2 or 4. */
    int prefix() default 4;

    /** The greatest number of elements that is accepted. */
    int max() default Integer.MAX_VALUE;
}
