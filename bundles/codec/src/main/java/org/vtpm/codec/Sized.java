package org.vtpm.codec;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A length in bytes, then that many bytes: a {@code byte[]}, or a structure that fills them exactly. A structure of
 * length zero is {@code null}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Sized {
    /** Width of the length prefix in bytes: 1, 2 or 4. */
    int prefix() default 4;

    /** The greatest length in bytes that is accepted. */
    int max() default Integer.MAX_VALUE;
}
