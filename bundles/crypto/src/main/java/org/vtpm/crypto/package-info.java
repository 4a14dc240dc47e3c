/** Hashes, HMAC, AES, RSA and P-256 on Bouncy Castle's lightweight API, one small class per purpose; registers no JCA provider. */
@Export
@Version("1.0.0")
@NullMarked
package org.vtpm.crypto;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
