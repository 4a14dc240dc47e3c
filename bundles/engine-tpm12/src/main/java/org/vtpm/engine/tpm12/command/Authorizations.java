package org.vtpm.engine.tpm12.command;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vtpm.codec.ByteReader;
import org.vtpm.codec.ByteWriter;
import org.vtpm.codec.Codec;
import org.vtpm.codec.CodecException;
import org.vtpm.codec.Fixed;
import org.vtpm.crypto.AesCtr;
import org.vtpm.crypto.Hmac;
import org.vtpm.crypto.Mgf1;
import org.vtpm.crypto.Secrets;
import org.vtpm.crypto.Sha1;
import org.vtpm.engine.tpm12.state.Entity;
import org.vtpm.engine.tpm12.state.LoadedKey;
import org.vtpm.engine.tpm12.state.Owner;
import org.vtpm.engine.tpm12.state.Session;
import org.vtpm.engine.tpm12.structure.Adip;
import org.vtpm.engine.tpm12.structure.ReturnCode;
import org.vtpm.engine.tpm12.structure.TpmException;

/**
 * The authorisation blocks of a command: verifies the request's, writes the response's (TPM Main Part 1, section 13).
 */
public final class Authorizations {
    private static final int HEADER = 10;
    private static final int ORDINAL_OFFSET = 6;
    private static final byte[] XOR = "XOR".getBytes(StandardCharsets.US_ASCII);

    /** A block as it stands in the request. */
    record Request(
            int handle,
            @Fixed(20) byte[] nonceOdd,
            boolean continueSession,
            @Fixed(20) byte[] auth) {}

    private static final class Block {
        private final Request request;
        private boolean continueSession;
        private byte @Nullable [] key;

        Block(Request request) {
            this.request = request;
            this.continueSession = request.continueSession();
        }
    }

    private final Transaction tx;
    private final byte[] request;
    private final List<Block> blocks = new ArrayList<>(2);
    private int parametersEnd;
    private byte @Nullable [] digest;

    Authorizations(Transaction tx, byte[] request) {
        this.tx = tx;
        this.request = request;
    }

    /** Reads the blocks that follow the parameters. */
    void read(ByteReader in, int count) throws CodecException {
        parametersEnd = in.position();
        for (int i = 0; i < count; i++) {
            blocks.add(new Block(Codec.of(Request.class).read(in)));
        }
    }

    /** The number of blocks in the request. */
    public int count() {
        return blocks.size();
    }

    /** The session of a block. */
    public Session session(int block) {
        Session session = tx.stClear().session(blocks.get(block).request.handle());
        if (session == null) {
            throw new TpmException(ReturnCode.INVALID_AUTHHANDLE);
        }
        return session;
    }

    /** The nonce that the guest chose for a block; not a copy. */
    public byte[] nonceOdd(int block) {
        return blocks.get(block).request.nonceOdd();
    }

    /** Refuses a session of another protocol than {@code protocol}. */
    public void requireProtocol(int block, int protocol) {
        TpmException.require(session(block).protocol() == protocol, ReturnCode.BAD_MODE);
    }

    /** Refuses a session that has no shared secret to encrypt new secrets with. */
    public void requireSharedSecret(int block) {
        TpmException.require(session(block).protocol() != Session.OIAP, ReturnCode.BAD_MODE);
    }

    /** Verifies that the last block is the owner's. A session that does not exist is reported before a missing owner. */
    public void verifyOwner() {
        int block = blocks.size() - 1;
        session(block);
        Owner owner = tx.permanent().owner();
        if (owner == null) {
            throw new TpmException(ReturnCode.AUTHFAIL);
        }
        verify(block, Entity.OWNER, owner.ownerAuth());
    }

    /** Verifies that a block authorises the use of a key. */
    public void verify(int block, LoadedKey key) {
        verify(block, key.entity(), key.usageAuth());
    }

    /**
     * Verifies one block: the first fails with AUTHFAIL, the second with AUTH2FAIL.
     *
     * @param block 0 or 1
     * @param entity what must have been authorised: an OSAP session for anything else fails
     * @param secret the entity's secret; not copied
     */
    public void verify(int block, Entity entity, byte[] secret) {
        verify(block, entity, secret, block == 0 ? ReturnCode.AUTHFAIL : ReturnCode.AUTH2FAIL);
    }

    /** Verifies one block, which fails with a code of the caller's choice. */
    public void verify(int block, Entity entity, byte[] secret, ReturnCode failure) {
        Session session = session(block);
        boolean bound = session.protocol() != Session.OIAP;
        TpmException.require(!bound || session.entity().equals(entity), failure);
        Block own = blocks.get(block);
        byte[] key = bound ? session.sharedSecret() : secret;
        byte[] expected = Hmac.sha1(
                key, digest(), session.nonceEven(), own.request.nonceOdd(), flag(own.request.continueSession()));
        if (!Secrets.equal(expected, own.request.auth())) {
            long now = tx.environment().nanoClock().getAsLong();
            tx.stick(state -> state.withStClear(
                    state.stClear().withLockout(state.stClear().lockout().failed(now))));
            throw new TpmException(failure);
        }
        own.key = key;
    }

    /**
     * Decrypts a new secret that came in the request (TPM Main Part 1, section 8.2). The session ends with the command,
     * since its secret must not encrypt a second one.
     */
    public byte[] decrypt(int block, byte[] encrypted) {
        return decrypt(block, encrypted, session(block).nonceEven());
    }

    /** Decrypts the second new secret of a command. */
    public byte[] decryptSecond(int block, byte[] encrypted) {
        return decrypt(block, encrypted, blocks.get(block).request.nonceOdd());
    }

    private byte[] decrypt(int block, byte[] encrypted, byte[] nonce) {
        Session session = session(block);
        close(block);
        if (session.adip() == Adip.AES128_CTR) {
            byte[] key = Arrays.copyOf(session.sharedSecret(), AesCtr.KEY_LENGTH);
            byte[] plain = AesCtr.apply(key, Arrays.copyOf(nonce, AesCtr.COUNTER_LENGTH), encrypted);
            Secrets.zero(key);
            return plain;
        }
        byte[] pad = Sha1.of(session.sharedSecret(), nonce);
        for (int i = 0; i < pad.length; i++) {
            pad[i] ^= encrypted[i];
        }
        return pad;
    }

    /**
     * Encrypts or decrypts data of any length with the secret of a session that shares one: what goes into TPM_Sealx and
     * comes out of TPM_Unseal (TPM Main Part 3, sections 10.2 and 10.7). The session ends with the command.
     *
     * @param scheme {@link Adip}
     * @return as many bytes as {@code data} has; the caller zeroes them if they are secret
     */
    public byte[] crypt(int block, int scheme, byte[] data) {
        Session session = session(block);
        byte[] nonceOdd = nonceOdd(block);
        close(block);
        if (scheme == Adip.AES128_CTR) {
            byte[] key = Arrays.copyOf(session.sharedSecret(), AesCtr.KEY_LENGTH);
            byte[] counter = Arrays.copyOf(Sha1.of(session.nonceEven(), nonceOdd), AesCtr.COUNTER_LENGTH);
            byte[] output = AesCtr.apply(key, counter, data);
            Secrets.zero(key);
            return output;
        }
        byte[] seed = new ByteWriter()
                .bytes(session.nonceEven())
                .bytes(nonceOdd)
                .bytes(XOR)
                .bytes(session.sharedSecret())
                .finish();
        byte[] output = Mgf1.sha1(seed, data.length);
        for (int i = 0; i < output.length; i++) {
            output[i] ^= data[i];
        }
        Secrets.zero(seed);
        return output;
    }

    /** Ends the session of a block with this command, whatever the request asked for. */
    public void close(int block) {
        blocks.get(block).continueSession = false;
    }

    /** A fatal error ends all sessions whose blocks were read. */
    void endAfter(ReturnCode code) {
        if (code.fatal() && !blocks.isEmpty()) {
            tx.stick(state -> state.withStClear(state.stClear()
                    .withoutSessions(
                            session -> blocks.stream().anyMatch(block -> block.request.handle() == session.handle()))));
        }
    }

    /**
     * Writes the response's blocks, and moves the sessions on.
     *
     * @param parameters the response's parameters, without its handle area
     * @throws IllegalStateException if the handler did not verify a block
     */
    void respond(ByteWriter out, byte[] parameters) {
        if (blocks.isEmpty()) {
            return;
        }
        byte[] outDigest =
                Sha1.of(new byte[Integer.BYTES], Arrays.copyOfRange(request, ORDINAL_OFFSET, HEADER), parameters);
        for (Block block : blocks) {
            byte[] nonceEven = tx.environment().random(Sha1.LENGTH);
            Session session = tx.stClear().session(block.request.handle());
            boolean goesOn = block.continueSession && session != null;
            byte[] key = block.key;
            if (key == null) {
                throw new IllegalStateException("an authorisation block was not verified");
            }
            out.bytes(nonceEven).bool(goesOn);
            out.bytes(Hmac.sha1(key, outDigest, nonceEven, block.request.nonceOdd(), flag(goesOn)));
            if (session != null) {
                tx.stClear(
                        goesOn
                                ? tx.stClear().withSession(session.withNonceEven(nonceEven))
                                : tx.stClear().withoutSessions(each -> each.handle() == session.handle()));
            }
        }
    }

    private byte[] digest() {
        byte[] computed = digest;
        if (computed == null) {
            int parameters = HEADER + tx.command().inHandleBytes();
            computed = new Sha1()
                    .update(request, ORDINAL_OFFSET, HEADER - ORDINAL_OFFSET)
                    .update(request, parameters, parametersEnd - parameters)
                    .digest();
            digest = computed;
        }
        return computed;
    }

    private static byte[] flag(boolean value) {
        return new byte[] {(byte) (value ? 1 : 0)};
    }
}
