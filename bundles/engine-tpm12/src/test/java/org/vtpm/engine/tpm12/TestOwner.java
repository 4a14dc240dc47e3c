package org.vtpm.engine.tpm12;

import java.util.List;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.RsaPrivateKey;
import org.vtpm.tpm12.structure.Algorithm;
import org.vtpm.tpm12.structure.KeyFlags;
import org.vtpm.tpm12.structure.KeyParms;
import org.vtpm.tpm12.structure.StorePubkey;
import org.vtpm.tpm12.structure.TpmKey;

/** An owner that is there at once, for tests that do not compute with its keys. */
final class TestOwner {
    private TestOwner() {}

    static Owner with(byte[] ownerAuth, byte[] srkAuth) {
        TpmKey srk = new TpmKey.Key(
                0,
                0x11,
                new KeyFlags(0),
                1,
                KeyParms.rsa(Algorithm.ES_RSAESOAEP_SHA1_MGF1, Algorithm.SS_NONE, 2048),
                null,
                new StorePubkey(new byte[256]),
                new byte[0]);
        byte[] none = {0};
        return new Owner(
                ownerAuth.clone(),
                new byte[20],
                new byte[16],
                new byte[16],
                LoadedKey.srk(srk, new RsaPrivateKey(none, none, none, none, none), srkAuth.clone(), new byte[20]),
                List.of());
    }
}
