package org.vtpm.itests.sidebyside;

import java.io.IOException;
import org.vtpm.itests.tpm12.Session;
import org.vtpm.itests.tpm12.Structures;

/**
 * Who authorizes a command, and in what session.
 *
 * @param name tells authorities apart
 * @param secret what an OIAP session proves; one that is bound to an entity knows it already
 */
record Authority(String name, byte[] secret, Opener opener) {
    static final Authority OWNER_OIAP = oiap("OWNER_OIAP", Secrets.owner());
    static final Authority OWNER_OSAP =
            osap("OWNER_OSAP", Structures.ET_OWNER, probe -> Structures.OWNER, Secrets.owner());
    static final Authority OWNER_OSAP_AES = osap(
            "OWNER_OSAP_AES",
            Structures.ADIP_AES_CTR | Structures.ET_OWNER,
            probe -> Structures.OWNER,
            Secrets.owner());
    /** Whoever speaks for the owner while a row of the delegation table is the owner's pointer. */
    static final Authority OWNER_OIAP_AS_DELEGATE = oiap("OWNER_OIAP_AS_DELEGATE", Secrets.delegate());

    static final Authority OPERATOR = oiap("OPERATOR", Secrets.operator());
    static final Authority AREA = oiap("AREA", Secrets.area());
    static final Authority SRK_OIAP = oiap("SRK_OIAP", Secrets.srk());
    static final Authority SRK_OSAP = osap("SRK_OSAP", Structures.ET_SRK, probe -> Structures.SRK, Secrets.srk());
    static final Authority SRK_OSAP_AES =
            osap("SRK_OSAP_AES", Structures.ADIP_AES_CTR | Structures.ET_SRK, probe -> Structures.SRK, Secrets.srk());
    static final Authority KEY_OIAP = oiap("KEY_OIAP", Secrets.key());
    static final Authority MIGRATION_OIAP = oiap("MIGRATION_OIAP", Secrets.migration());
    static final Authority DATA_OIAP = oiap("DATA_OIAP", Secrets.data());
    static final Authority COUNTER_OIAP = oiap("COUNTER_OIAP", Secrets.counter());
    static final Authority COUNTER_OSAP =
            osap("COUNTER_OSAP", Structures.ET_COUNTER, probe -> probe.stock().counter(), Secrets.counter());
    /** A transport session that was opened ahead of the request. */
    static final Authority TRANSPORT = new Authority("TRANSPORT", Secrets.transport(), Probe::transport);

    /** Opens a session; one that no TPM knows if the TPM refuses. */
    @FunctionalInterface
    interface Opener {
        Session open(Probe probe) throws IOException;
    }

    /** What a session is bound to. */
    @FunctionalInterface
    interface Handle {
        int of(Probe probe) throws IOException;
    }

    private static Authority oiap(String name, byte[] secret) {
        return new Authority(name, secret, Probe::oiap);
    }

    private static Authority osap(String name, int entityType, Handle entity, byte[] secret) {
        return new Authority(name, secret, probe -> probe.osap(entityType, entity.of(probe), secret));
    }

    /** A session that is bound to a key of the stock. */
    static Authority keyOsap(StockKey key) {
        return osap("KEY_OSAP", Structures.ET_KEY_HANDLE, probe -> probe.loaded(key), Secrets.key());
    }

    /** A session of whoever holds a delegation of the owner's. */
    static Authority ownersDelegate(Stock.Delegation delegation) {
        return new Authority(
                "OWNER_DSAP " + delegation,
                Secrets.delegate(),
                probe -> probe.dsap(
                        Structures.ET_DEL_OWNER_BLOB,
                        Structures.OWNER,
                        probe.stock().delegation(delegation)));
    }

    /** A session of whoever holds a delegation of the signing key's. */
    static Authority keysDelegate(Stock.Delegation delegation) {
        return new Authority(
                "KEY_DSAP " + delegation,
                Secrets.delegate(),
                probe -> probe.dsap(
                        Structures.ET_DEL_KEY_BLOB,
                        probe.loaded(StockKey.SIGN),
                        probe.stock().delegation(delegation)));
    }

    Session open(Probe probe) throws IOException {
        return opener.open(probe);
    }

    @Override
    public String toString() {
        return name;
    }
}
