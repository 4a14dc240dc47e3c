package org.vtpm.engine.tpm12.chapter;

import static org.vtpm.tpm12.structure.TpmException.require;

import org.vtpm.codec.Codec;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.command.Transaction;
import org.vtpm.tpm12.structure.CmkMaApproval;
import org.vtpm.tpm12.structure.CmkMigauth;
import org.vtpm.tpm12.structure.CmkSigticket;
import org.vtpm.tpm12.structure.MsaComposite;
import org.vtpm.tpm12.structure.Pubkey;
import org.vtpm.tpm12.structure.ReturnCode;

/** What a TPM certifies to itself about certifiable migration keys: HMACs that only its tpmProof makes. */
final class CmkTickets {
    private CmkTickets() {}

    /** The owner approved these migration authorities. */
    static byte[] approval(Transaction tx, byte[] migrationAuthorityDigest) {
        return hmac(tx, CmkMaApproval.class, new CmkMaApproval(migrationAuthorityDigest));
    }

    /** This TPM verified a signature over a digest with a key. */
    static byte[] signature(Transaction tx, byte[] verKeyDigest, byte[] signedData) {
        return hmac(tx, CmkSigticket.class, new CmkSigticket(verKeyDigest, signedData));
    }

    /** Those authorities decide over that key: the key's migrationAuth. */
    static byte[] migrationAuth(Transaction tx, byte[] msaDigest, byte[] pubKeyDigest) {
        return hmac(tx, CmkMigauth.class, new CmkMigauth(msaDigest, pubKeyDigest));
    }

    /**
     * Refuses an approval that none of the authorities signed.
     *
     * @param restrictTicket the approval as it was signed
     */
    static void requireSigned(Transaction tx, MsaComposite authorities, byte[] restrictTicket, byte[] sigTicket) {
        byte[] signedData = Sha1.of(restrictTicket);
        require(
                authorities.migAuthDigest().stream()
                        .anyMatch(authority -> Secrets.equal(signature(tx, authority.digest(), signedData), sigTicket)),
                ReturnCode.MA_TICKET_SIGNATURE);
    }

    static byte[] digest(MsaComposite authorities) {
        return Sha1.of(Codec.of(MsaComposite.class).encode(authorities));
    }

    static byte[] digest(Pubkey key) {
        return Sha1.of(Codec.of(Pubkey.class).encode(key));
    }

    private static <T> byte[] hmac(Transaction tx, Class<T> type, T structure) {
        return Hmac.sha1(Keys.tpmProof(tx), Codec.of(type).encode(structure));
    }
}
