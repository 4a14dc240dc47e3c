/** Big numbers on GNU MP, reached through jnr-ffi: constant-time secret exponents, and several times faster primes. */
@NullMarked
package org.vtpm.bignum.gmp;

import org.jspecify.annotations.NullMarked;
