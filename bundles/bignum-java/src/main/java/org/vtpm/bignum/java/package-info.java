/** Big numbers on the JDK's BigInteger: always there, and what runs when no native library is. */
@NullMarked
package org.vtpm.bignum.java;

import org.jspecify.annotations.NullMarked;
